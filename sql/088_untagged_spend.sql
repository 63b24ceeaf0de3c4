-- One row per hour, service and missing tag: money that nobody can be asked about.
create or replace view {db}.untagged_spend (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  service LowCardinality(String) comment 'service.name of the resource',
  missing String comment 'Tag that is missing: team, feature or tenant',
  calls UInt64 comment 'Billed calls',
  input_tokens UInt64 comment 'All input tokens, cached included',
  output_tokens UInt64 comment 'All output tokens, reasoning included',
  known_usd Decimal(38, 24) comment 'Exact cost of the calls whose cost is known, USD; a lower bound of the whole',
  unknown_calls UInt64 comment 'Calls whose cost is not known'
) as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, service, missing,
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  sumIf(c.calls, c.unknown) as unknown_calls
from {db}.costs as c
array join arrayFilter(x -> x != '', [if(team = '', 'team', ''), if(feature = '', 'feature', ''), if(tenant = '', 'tenant', '')]) as missing
group by hour, service, missing
comment 'One row per hour, service and missing tag';
