-- One row per billed call with its price: the rate, the exact amount if it is known, and bounds if it is not. Everything that
-- shows single calls reads this view; the rollups use the same functions on groups. In stages, because the engine analyses a name at
-- each use and a column only once.
create or replace view {db}.priced_calls (
  ts DateTime64(6, 'UTC') comment 'Start of the call',
  end_ts DateTime64(6, 'UTC') comment 'End of the call',
  trace_id FixedString(16) comment 'Trace id, as stored',
  span_id UInt64 comment 'Span id, as stored',
  parent_span_id UInt64 comment 'Parent span id, as stored',
  role LowCardinality(String) comment 'call or wrapper',
  emitter LowCardinality(String) comment 'Who emitted the span',
  usage_rule LowCardinality(String) comment 'Rule of usage_rules that read the counts',
  service LowCardinality(String) comment 'service.name of the resource',
  environment LowCardinality(String) comment 'Deployment environment',
  tenant LowCardinality(String) comment 'Tag: whose money it is',
  team LowCardinality(String) comment 'Tag: who spends it',
  feature LowCardinality(String) comment 'Tag: what for',
  user String comment 'Tag: end user, possibly pseudonymous',
  session String comment 'Tag: conversation or session',
  task LowCardinality(String) comment 'Tag: kind of task',
  task_id String comment 'Tag: the one task',
  agent LowCardinality(String) comment 'Tag: name of the agent',
  agent_step LowCardinality(String) comment 'Tag: step or node of the agent',
  provider_raw LowCardinality(String) comment 'Provider as delivered',
  model_raw LowCardinality(String) comment 'Model as delivered',
  operation LowCardinality(String) comment 'gen_ai.operation.name',
  service_tier LowCardinality(String) comment 'Tier that the response names',
  response_id String comment 'Id of the provider''s response; not unique with every provider',
  usage_state LowCardinality(String) comment 'How the usage is known: reported, unsplit (but for the lifetime of cache writes), partial, estimated, no_usage, failed_not_billed, failed_maybe_billed, notional',
  input_tokens UInt32 comment 'All input tokens, cached included',
  cache_read_tokens UInt32 comment 'Input read from the cache',
  cache_write_tokens UInt32 comment 'Input written to the cache, any time to live',
  cache_write_1h_tokens UInt32 comment 'Part of cache_write_tokens kept for an hour',
  output_tokens UInt32 comment 'All output tokens, reasoning included',
  reasoning_tokens UInt32 comment 'Part of the output that is reasoning',
  input_audio_tokens UInt32 comment 'Part of the input that is audio',
  cache_read_audio_tokens UInt32 comment 'Part of cache_read_tokens that is audio',
  input_image_tokens UInt32 comment 'Part of the input that is images',
  output_audio_tokens UInt32 comment 'Part of the output that is audio',
  output_image_tokens UInt32 comment 'Part of the output that is images',
  web_searches UInt32 comment 'Web searches that the provider ran',
  has_usage UInt8 comment 'The span reports token counts',
  reported_cost_usd Nullable(Decimal(38, 24)) comment 'Cost that the emitter computed, for comparison; never summed',
  status LowCardinality(String) comment 'ok or error',
  error_type LowCardinality(String) comment 'error.type of the span',
  attempts UInt16 comment 'HTTP attempts, silent retries of the client included',
  time_to_first_token_us UInt32 comment 'Microseconds to the first chunk; 0: unknown',
  system_chars UInt32 comment 'Characters of the system prompt',
  history_chars UInt32 comment 'Characters of earlier turns',
  user_chars UInt32 comment 'Characters of the last user message',
  tool_chars UInt32 comment 'Characters of tool results',
  retrieved_chars UInt32 comment 'Characters of retrieved context',
  tool_definition_chars UInt32 comment 'Characters of tool definitions',
  max_tokens UInt32 comment 'Most output tokens that the request allowed; 0: unknown',
  prompt_fingerprint UInt64 comment 'Keyed fingerprint of the whole prompt; empty or 0: none',
  prefix_fingerprint UInt64 comment 'Keyed fingerprint of its cacheable prefix',
  system_fingerprint UInt64 comment 'Keyed fingerprint of the system prompt',
  template_fingerprint UInt64 comment 'Keyed fingerprint of the prompt with its digits masked',
  process LowCardinality(String) comment 'service.instance.id of the emitting process',
  sequence UInt32 comment 'Number of the span in its process; 0: unknown',
  gateway UInt8 comment 'Delivered with a gateway''s credential',
  account LowCardinality(String) comment 'Account at the provider; empty: not told',
  region LowCardinality(String) comment 'Region that served the call; empty: not told',
  verdict LowCardinality(String) comment 'bills, wrapper, covered, duplicate or pending',
  reason LowCardinality(String) comment 'Why, in words',
  winner_trace_id FixedString(16) comment 'Trace of the span that bills instead; empty: none',
  winner_span_id UInt64 comment 'Span that bills instead; empty: none',
  version UInt64 comment '0: as delivered; else when the election wrote the row',
  ingested_at DateTime64(3, 'UTC') comment 'When the row was written',
  provider LowCardinality(String) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) comment 'Model in the price book; as delivered while the book does not know it',
  price_context String comment 'What the price depends on besides the model',
  uncached_input_tokens UInt32 comment 'Input neither read from nor written to a cache',
  quantities Array(UInt64) comment 'Disjoint quantities in the order of cost_of',
  priced_at DateTime('UTC') comment 'Second that decides the price',
  contract String comment 'Contract whose price it pays; empty: what everybody does',
  context_rate_id UInt32 comment 'Rate for the call''s own context; 0: none',
  any_rate_id UInt32 comment 'Rate for its context, else for the standard one; 0: none',
  completeness String comment 'priced, estimated, unpriced_model, no_usage, failed_not_billed, failed_maybe_billed or notional',
  rate_id UInt32 comment 'Rate of the price book that prices it; 0: none',
  amount_usd Decimal(38, 24) comment 'Tokens times rate, USD; 0 without a rate',
  low_usd Decimal(38, 24) comment 'Where the cost is not known: what it is at least, USD',
  high_usd Nullable(Decimal(38, 24)) comment 'Where the cost is not known: what it is at most, USD; NULL: unknown'
) as
-- Products instead of `if`: the engine evaluates the branches of an `if` lazily, which costs five times what it saves here (9.6 against
-- 1.7 us a call).
-- The bounds of a cost that is not known. A call without usage: its prompt has a token for every 2 to 6 characters (English text has one for
-- about 4; code, other languages and long words lie between), read from the cache at the cheapest and written to it for an hour at the
-- dearest; its output lies between nothing and what the request allowed; each attempt may be billed. A call that failed may cost nothing. One
-- that was cut short cost at least what it reported; one whose counts are doubtful may have read all its input from the cache, and one whose
-- counts the emitter invents has no count at all. Cache writes of an unknown lifetime cost between 5 minutes and an hour. No upper bound: without the request's limit, the prompt's size or a price, and where
-- the prompt may reach a price for long inputs. Of a tier without a price of its own the standard price is one bound at most: see tier_side_of.
select
  * except (standard_low_usd, standard_high_usd, tier_side),
  standard_low_usd * (tier_side in ('own', 'dearer')) as low_usd,
  if(tier_side in ('own', 'cheaper'), standard_high_usd, null) as high_usd
from (
select
  * except (prompt_chars, prompt_tokens_max, long_input, is_doubtful, audio),
  if(context_rate_id != 0 or price_context = '', 'own', {db}_tier_side_of(price_context)) as tier_side,
  multiIf(
    completeness = 'estimated' and usage_state = 'estimated', {db}_cost_of(rate_id, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
    completeness = 'estimated' and is_doubtful, least(amount_usd, {db}_cost_of(rate_id, [0, toUInt64(input_tokens), 0, 0, toUInt64(output_tokens), 1, 0, 0, 0, 0, 0, 0, 0])),
    completeness = 'estimated', amount_usd,
    completeness = 'no_usage', {db}_cost_of(any_rate_id, [0, intDiv(prompt_chars, 6), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
    toDecimal128(0, 24)) as standard_low_usd,
  multiIf(
    completeness = 'estimated' and usage_state = 'reported' and audio = 0, toNullable(amount_usd),
    completeness = 'estimated' and usage_state = 'unsplit', {db}_cost_of(rate_id, arrayMap((quantity, meter) -> multiIf(meter = 3, toUInt64(0), meter = 4, toUInt64(cache_write_tokens), quantity), quantities, arrayEnumerate(quantities))),
    completeness = 'estimated' and usage_state = 'partial' and not is_doubtful and input_tokens > 0 and max_tokens >= output_tokens and max_tokens > 0,
      amount_usd + {db}_cost_of(any_rate_id, [0, 0, 0, 0, toUInt64(greatest(toInt64(max_tokens) - output_tokens, 0)), 0, 0, 0, 0, 0, 0, 0, 0]),
    completeness in ('no_usage', 'failed_maybe_billed') and any_rate_id != 0 and max_tokens > 0 and prompt_chars > 0 and prompt_tokens_max <= long_input,
      attempts * greatest(
        {db}_cost_of(any_rate_id, [prompt_tokens_max, 0, 0, 0, toUInt64(max_tokens), 1, 0, 0, 0, 0, 0, 0, 0]),
        {db}_cost_of(any_rate_id, [0, 0, 0, prompt_tokens_max, toUInt64(max_tokens), 1, 0, 0, 0, 0, 0, 0, 0])),
    null) as standard_high_usd
from (
  select
    *, {db}_cost_of(rate_id, quantities) as amount_usd, position(usage_rule, 'doubtful') > 0 as is_doubtful,
    toUInt64(system_chars) + history_chars + user_chars + tool_chars + retrieved_chars + tool_definition_chars as prompt_chars,
    -- besides its characters a prompt has tokens that frame its parts
    intDiv(prompt_chars + 1, 2) + 64 as prompt_tokens_max,
    (select min(if(above = 0, 4294967295, above)) from (select arrayJoin(above_tokens) as above from {db}.rate_segments where book = (select max(book) from {db}.price_books))) as long_input
from (
  select *, any_rate_id * (completeness in ('priced', 'estimated', 'notional')) as rate_id
  from (
    select *, {db}_completeness_of(usage_state, audio, context_rate_id, any_rate_id) as completeness
    from (
      select *, context_rate_id + (context_rate_id = 0) * standard_rate_id as any_rate_id
      from (
        select
          *,
          {db}_rate_of(contract, provider, model, {db}_regional_of(price_context, provider, model, region), priced_at, input_tokens) as context_rate_id,
          {db}_rate_of(contract, provider, model, {db}_regional_of('', provider, model, region), priced_at, input_tokens) as standard_rate_id
        from (
          select *, {db}_contract_of((select rules from {db}.rules_in_force), tenant, provider, account, model_raw, environment, service, model, priced_at) as contract
          from (
            select *, provider, model, uncached_input_tokens, quantities, toDateTime(ts, 'UTC') as priced_at,
              (input_audio_tokens + cache_read_audio_tokens > 0) + 2 * (output_audio_tokens > 0) as audio
            from {db}.genai_calls final
            where verdict = 'bills'))))))))
comment 'One row per billed call with its price';
