-- One row per hour, service and missing tag: money that nobody can be asked about.
create view if not exists {db}.untagged_spend as
select
  toDateTime(toStartOfHour(bucket, {zone}), 'UTC') as hour, service, missing,
  sum(c.calls) as calls, sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.known_usd) as known_usd,
  sumIf(c.calls, c.unknown) as unknown_calls
from {db}.costs as c
array join arrayFilter(x -> x != '', [if(team = '', 'team', ''), if(feature = '', 'feature', ''), if(tenant = '', 'tenant', '')]) as missing
group by hour, service, missing;
