-- Every row that enters genai_calls marks its own minute: delivered, repeated, late or judged again, it does not matter.
create or replace materialized view {db}.dirty_minutes_mv to {db}.dirty_minutes {as_its_maker}as
select toStartOfMinute(ts) as minute, max(now64(3, 'UTC')) as marked_at
from {db}.genai_calls
group by minute;
