-- One row per hour, emitter, provider, model and likely cause: calls whose emitter computed another cost than the ledger did, by more than a
-- thousandth and a millionth of a dollar. The ledger's cost is the one that counts; the other is kept for comparison and never summed up.
create or replace view {db}.cost_disagreements (
  hour DateTime('UTC') comment 'Start of the hour in the reporting time zone',
  emitter LowCardinality(String) comment 'Who emitted the spans',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  likely_cause String comment 'What the numbers look like',
  calls UInt64 comment 'Calls that disagree',
  reported_usd Decimal(38, 24) comment 'What their emitter computed, USD',
  ledger_usd Nullable(Decimal(38, 24)) comment 'What they cost, USD; NULL: the price book does not know',
  difference_usd Nullable(Decimal(38, 24)) comment 'Reported less ledger, USD'
) as
-- Those that agree are left out by the aggregates and not by a condition: the engine would carry it down into each part of the table and
-- analyse it there (1.7 s against 1.0 s of CPU for 30 days of ten million calls).
select
  hour, emitter, provider, model, likely_cause, countIf(differs) as calls, sumIf(reported, differs) as reported_usd,
  if(countIf(differs and isNull(known)) = 0, sumIf(known, differs), null) as ledger_usd, reported_usd - ledger_usd as difference_usd
from (
  select
    *,
    is_compared and (isNull(known) or abs(reported - known) > greatest(known / 1000, toDecimal128('0.000001', 24))) as differs,
    multiIf(
      isNull(known), 'the price book does not know the model',
      reported in (toDecimal128(input_tokens, 24), toDecimal128(output_tokens, 24), toDecimal128(tokens, 24)) and tokens > 0, 'a count of tokens where an amount belongs',
      reported = 0, 'the emitter does not know the price',
      abs(reported - uncached) <= uncached / 1000 and cache_read_tokens > 0, 'cached tokens at the full price',
      known > 0 and reported > known * 1.9 and abs(reported - known * round(toFloat64(reported) / toFloat64(known))) < known / 100, 'the sum of several calls, or one counted several times',
      'another price') as likely_cause
  from (
    select
      toDateTime(toStartOfHour(ts, {zone}), 'UTC') as hour, emitter, provider, model, input_tokens, output_tokens, cache_read_tokens,
      toUInt64(input_tokens) + output_tokens as tokens, assumeNotNull(reported_cost_usd) as reported,
      if(completeness = 'priced', toNullable(amount_usd), null) as known, completeness in ('priced', 'unpriced_model') as is_compared,
      {db}_cost_of(rate_id, [toUInt64(input_tokens), 0, 0, 0, toUInt64(output_tokens), 1, 0, 0, 0, 0, 0, 0, 0]) as uncached
    from {db}.priced_calls
    where isNotNull(reported_cost_usd)))
group by hour, emitter, provider, model, likely_cause
having calls > 0
comment 'Calls whose emitter computed another cost than the ledger, by likely cause';
