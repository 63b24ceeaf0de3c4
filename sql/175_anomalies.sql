-- One row per incident, as it is known now. Alerts and dashboards read it.
create or replace view {db}.anomalies (
  incident_id String comment 'Stable id',
  status LowCardinality(String) comment 'open or resolved',
  started_at DateTime('UTC') comment 'First ten minutes that are out of line',
  detected_at DateTime('UTC') comment 'When it was found',
  updated_at DateTime('UTC') comment 'When its figures were last made',
  resolved_at Nullable(DateTime('UTC')) comment 'When it was over; NULL: it goes on',
  rule LowCardinality(String) comment 'Rule that fired first',
  driver LowCardinality(String) comment 'What moved: volume, tokens_per_call, mix, cache, unit_price or cost (several, none of them alone)',
  class LowCardinality(String) comment 'retry_loop, context_leak, prompt_bloat, model_switch, wrong_price, cache_collapse, abuse, batch_job, growth, lost_traffic, huge_call or spike',
  severity LowCardinality(String) comment 'critical, warning, or info: shown and never paged',
  cause String comment 'One sentence in plain words',
  tenant String comment 'Whose it is; empty: not narrowed to one',
  team String comment 'Whose it is; empty: not narrowed to one',
  feature String comment 'What for; empty: not narrowed to one',
  model String comment 'Model; empty: not narrowed to one',
  user String comment 'End user; empty: not narrowed to one',
  session String comment 'Session; empty: not narrowed to one',
  explained_by String comment 'Best explanation by one dimension, such as feature=chat',
  explained_by_two String comment 'Best explanation by two dimensions, such as feature=chat, model=gpt-5',
  explained_share Nullable(Float64) comment 'Share of the change in explained_by; above 1 where others went the other way',
  expected_usd Decimal(38, 24) comment 'What it would have cost since it started, USD',
  actual_usd Decimal(38, 24) comment 'What it cost since then, USD; known cost only',
  impact_usd Decimal(38, 24) comment 'Actual less expected, USD',
  impact_usd_per_hour Decimal(38, 24) comment 'Impact by the hour, USD',
  effects Map(LowCardinality(String), Decimal(38, 24)) comment 'Impact by driver (volume, tokens_per_call, mix, cache, unit_price), USD; sums to impact_usd exactly',
  calls UInt64 comment 'Calls in it',
  trace_ids Array(String) comment 'Up to five example traces, the dearest first',
  deploy String comment 'Version or prompt that was new shortly before it started; empty: none known',
  feedback LowCardinality(String) comment 'What people said of it: expected, real or empty',
  notify_level UInt8 comment 'How often the impact has doubled since it was found; a higher one is worth another notice'
) as
select
  i.incident_id as incident_id, status, started_at, detected_at, updated_at, resolved_at, rule, driver, class, severity, cause, tenant, team, feature, model, user, session,
  explained_by, explained_by_two, explained_share, expected_usd, actual_usd, impact_usd, impact_usd_per_hour, effects, calls, trace_ids, deploy, f.verdict as feedback,
  toUInt8(greatest(0, floor(log2(greatest(toFloat64(abs(impact_usd)), 1e-12) / greatest(toFloat64(abs(first_impact_usd)), 1e-12))))) as notify_level
from (select * from {db}.incidents final) as i
left join (select incident_id, verdict from {db}.incident_feedback final) as f on i.incident_id = f.incident_id
comment 'One row per incident, as it is known now';
