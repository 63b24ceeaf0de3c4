-- One row per GenAI span (call or wrapper) that landed, facts and verdict together. Version 0 is the span as delivered, any number
-- of times; the election writes a row again with a higher version when its verdict or inherited tags change; FINAL reads the newest.
-- Sorted by identity, time first: neighbours in time share a bucket, so a rollup reads few granules. Tags are never in the key:
-- re-attribution would leave the old row behind. Tokens are facts; no money is stored.
create table if not exists {db}.genai_calls (
  ts DateTime64(6, 'UTC') codec(Delta(8), ZSTD(1)) comment 'Start of the span',
  end_ts DateTime64(6, 'UTC') codec(Delta(8), ZSTD(1)) comment 'End of the span',
  trace_id FixedString(16) codec(ZSTD(1)) comment 'Trace id',
  span_id UInt64 codec(ZSTD(1)) comment 'Span id as a number',
  parent_span_id UInt64 codec(ZSTD(1)) comment 'Parent as a number: nearest GenAI parent if the SDK named it; 0: none',
  role LowCardinality(String) comment 'call: a request to a model; wrapper: a span around calls, such as an agent',
  emitter LowCardinality(String) comment 'Who emitted the span: otel, anthropic, openinference, ...',
  usage_rule LowCardinality(String) comment 'Rule of usage_rules that read the counts',
  service LowCardinality(String) comment 'Resource attribute service.name',
  environment LowCardinality(String) comment 'Deployment environment',
  tenant LowCardinality(String) comment 'Tag: whose money it is', team LowCardinality(String) comment 'Tag: who spends it', feature LowCardinality(String) comment 'Tag: what for',
  user String codec(ZSTD(1)) comment 'Tag: end user, possibly pseudonymous', session String codec(ZSTD(1)) comment 'Tag: conversation or session',
  task LowCardinality(String) comment 'Tag: kind of task', task_id String codec(ZSTD(1)) comment 'Tag: the one task, joins task_outcomes',
  agent LowCardinality(String) comment 'Tag: name of the agent', agent_step LowCardinality(String) comment 'Tag: step or node of the agent',
  provider_raw LowCardinality(String) comment 'Provider as delivered, lower case',
  model_raw LowCardinality(String) comment 'Model as delivered: the response''s, else the request''s',
  operation LowCardinality(String) comment 'gen_ai.operation.name: chat, embeddings, invoke_agent, ...',
  service_tier LowCardinality(String) comment 'Tier that the response names; it decides the price, not the request''s',
  response_id String codec(ZSTD(1)) comment 'Id of the provider''s response; not unique with every provider',
  usage_state LowCardinality(String) comment 'reported: counts of the provider; partial: cut short; estimated: the emitter''s guess; no_usage: succeeded without counts; failed_not_billed: turned away; failed_maybe_billed: broke off; notional: a subscription pays',
  input_tokens UInt32 codec(T64, ZSTD(1)) comment 'All input, cached included',
  cache_read_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the input read from the cache',
  cache_write_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the input written to the cache, any time to live',
  cache_write_1h_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of cache_write_tokens kept for an hour',
  output_tokens UInt32 codec(T64, ZSTD(1)) comment 'All output, reasoning included',
  reasoning_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the output that is reasoning',
  input_audio_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the input that is audio', cache_read_audio_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of cache_read_tokens that is audio',
  input_image_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the input that is images', output_audio_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the output that is audio',
  output_image_tokens UInt32 codec(T64, ZSTD(1)) comment 'Part of the output that is images', web_searches UInt32 codec(T64, ZSTD(1)) comment 'Web searches that the provider ran',
  has_usage UInt8 comment 'The span reports token counts',
  reported_cost_usd Nullable(Decimal(38, 24)) codec(ZSTD(1)) comment 'Cost that the emitter computed, for comparison; never summed',
  status LowCardinality(String) comment 'ok or error', error_type LowCardinality(String) comment 'error.type of the span',
  attempts UInt16 codec(T64, ZSTD(1)) comment 'HTTP attempts of the call, the client''s silent retries included; at least 1',
  time_to_first_token_us UInt32 codec(T64, ZSTD(1)) comment 'Microseconds to the first chunk; 0: unknown',
  system_chars UInt32 codec(T64, ZSTD(1)) comment 'Size of the system prompt', history_chars UInt32 codec(T64, ZSTD(1)) comment 'Size of earlier turns',
  user_chars UInt32 codec(T64, ZSTD(1)) comment 'Size of the last user message', tool_chars UInt32 codec(T64, ZSTD(1)) comment 'Size of tool results',
  retrieved_chars UInt32 codec(T64, ZSTD(1)) comment 'Size of retrieved context', tool_definition_chars UInt32 codec(T64, ZSTD(1)) comment 'Size of tool definitions',
  prompt_fingerprint UInt64 codec(ZSTD(1)) comment 'Keyed fingerprint of the whole prompt; 0: none', prefix_fingerprint UInt64 codec(ZSTD(1)) comment 'Of its cacheable prefix',
  system_fingerprint UInt64 codec(ZSTD(1)) comment 'Of the system prompt', template_fingerprint UInt64 codec(ZSTD(1)) comment 'Of the prompt with its digits masked',
  process LowCardinality(String) comment 'service.instance.id of the emitting process', sequence UInt32 codec(T64, ZSTD(1)) comment 'Number of the GenAI span in its process, from 1; a gap is a lost span; 0: unknown',
  gateway UInt8 comment 'Delivered with a credential that is marked gateway',
  verdict LowCardinality(String) comment 'bills: this span stands for a billed call; wrapper, covered, duplicate: another one does; pending: not judged yet',
  reason LowCardinality(String) comment 'Why, in words',
  winner_trace_id FixedString(16) codec(ZSTD(1)) comment 'Trace of the span that bills instead; zeros: none',
  winner_span_id UInt64 codec(ZSTD(1)) comment 'The span that bills instead; 0: none',
  version UInt64 default 0 codec(ZSTD(1)) comment '0: as delivered; else milliseconds since 1970 of the election that judged it',
  ingested_at DateTime64(3, 'UTC') default now64(3) codec(Delta(8), ZSTD(1)) comment 'When the row was written',
  provider LowCardinality(String) alias if(dictGet('{db}.alias_dict', 'model', (provider_raw, model_raw)) != '', dictGet('{db}.alias_dict', 'provider', (provider_raw, model_raw)), provider_raw) comment 'Provider in the price book; as delivered while the book does not know the model',
  model LowCardinality(String) alias if(dictGet('{db}.alias_dict', 'model', (provider_raw, model_raw)) != '', dictGet('{db}.alias_dict', 'model', (provider_raw, model_raw)), model_raw) comment 'Model in the price book; as delivered while the book does not know it',
  price_context String alias multiIf(service_tier in ('', 'default', 'standard', 'standard_only', 'auto', 'on_demand'), '', service_tier = 'batch', 'processing=batch', concat('service_tier=', service_tier)) comment 'What the price depends on besides the model',
  uncached_input_tokens UInt32 alias greatest(toInt64(input_tokens) - cache_read_tokens - cache_write_tokens, 0) comment 'Input that is neither read from nor written to a cache',
  -- the disjoint quantities that are priced; each token is in exactly one
  quantities Array(UInt64) alias array(
    greatest(toInt64(input_tokens) - cache_read_tokens - cache_write_tokens - greatest(toInt64(input_audio_tokens) - cache_read_audio_tokens, 0) - input_image_tokens, 0),
    greatest(toInt64(cache_read_tokens) - cache_read_audio_tokens, 0),
    greatest(toInt64(cache_write_tokens) - cache_write_1h_tokens, 0),
    cache_write_1h_tokens,
    greatest(toInt64(output_tokens) - reasoning_tokens - output_audio_tokens - output_image_tokens, 0),
    1,
    greatest(toInt64(input_audio_tokens) - cache_read_audio_tokens, 0),
    cache_read_audio_tokens,
    input_image_tokens,
    reasoning_tokens,
    output_audio_tokens,
    output_image_tokens,
    web_searches) comment 'Disjoint quantities in the order of cost_of: text input, cache read, cache write 5m, cache write 1h, text output, request, audio input, cached audio, image input, reasoning, audio output, image output, web searches',
  index idx_trace_id trace_id type bloom_filter(0.01) granularity 4
) engine = {engine:ReplacingMergeTree(version)}
partition by toYYYYMMDD(ts)
primary key ts
order by (ts, span_id, trace_id)
ttl toDateTime(ts) + interval {calls_days} day
settings ttl_only_drop_parts = 1
comment 'GenAI spans, typed, with the verdict of the election; read with FINAL';
