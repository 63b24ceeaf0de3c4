-- Reads outcomes from log records (event spanledger.outcome).
create or replace materialized view {db}.task_outcomes_mv to {db}.task_outcomes {as_its_maker}as
select
  LogAttributes['spanledger.task.id'] as task_id, substringUTF8(LogAttributes['spanledger.task'], 1, 128) as task,
  substringUTF8(LogAttributes['spanledger.outcome'], 1, 128) as outcome, Timestamp as ended_at, ServiceName as service
from {db}.otel_logs
where EventName = 'spanledger.outcome' and LogAttributes['spanledger.task.id'] != '';
