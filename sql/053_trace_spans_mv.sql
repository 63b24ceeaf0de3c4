-- Feeds the election's index.
create or replace materialized view {db}.trace_spans_mv to {db}.trace_spans as
select
  trace_id, span_id, ts, end_ts, parent_span_id, role, tenant, team, feature, user, session, task, task_id, agent, agent_step,
  if(response_id = '', 0, cityHash64(response_id)) as response_key, length(response_id) >= 24 as id_unique, has_usage, output_tokens, gateway,
  least(end_ts, now64(6, 'UTC')) as known_at
from {db}.genai_spans;
