-- Books a month, and the adjustments of the months before it. The row without dimensions says that the month is closed. Of several that carry one
-- token the first counts.
insert into bookings (
  month, about, tenant, team, feature, service, environment, provider, model, completeness, calls, input_tokens, output_tokens, amount_usd,
  closed_at, closed_by, note)
select
  {month:Date}, about, tenant, team, feature, service, environment, provider, model, completeness, calls, input_tokens, output_tokens, amount_usd,
  now64(3, 'UTC'), {closed_by:String}, {note:String}
from (
  select about, tenant, team, feature, service, environment, provider, model, completeness, calls, input_tokens, output_tokens, amount_usd
  from unbooked
  where about <= {month:Date}
  union all
  select {month:Date}, '', '', '', '', '', '', '', '', 0, 0, 0, toDecimal128(0, 24))
settings insert_deduplication_token = {token:String}, min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1, max_insert_block_size = 100000000
