-- The one normaliser. Attribute names come from attribute_names, operations from operations, what counts mean from usage_rules:
-- to teach it a convention, insert rows there. It adds nothing that the span does not say: an absent count stays absent.
create materialized view if not exists {db}.genai_spans_mv to {db}.genai_spans as
with
  -- the attributes that mean something, best first; a span's own beat its resource's
  arraySort(x -> x.3, arrayFilter(x -> x.1 != '' and x.2 != '', arrayConcat(
    arrayMap((k, v) -> (dictGet('{db}.attribute_dict', 'field', tuple(toString(k))), v, toUInt16(dictGet('{db}.attribute_dict', 'rank', tuple(toString(k))))), mapKeys(SpanAttributes), mapValues(SpanAttributes)),
    arrayMap((k, v) -> (dictGet('{db}.attribute_dict', 'field', tuple(toString(k))), v, toUInt16(dictGet('{db}.attribute_dict', 'rank', tuple(toString(k))) + 100)), mapKeys(ResourceAttributes), mapValues(ResourceAttributes))))) as known,
  mapFromArrays(arrayMap(x -> x.1, known), arrayMap(x -> x.2, known)) as a,
  -- a count is a whole number, also when it comes as '12.0'; anything else is no count
  (field) -> coalesce(toUInt32OrNull(a[field]), accurateCastOrNull(toFloat64OrNull(a[field]), 'UInt32')) as count_of,
  (field) -> ifNull(count_of(field), 0) as count_or_0,
  (field) -> substringUTF8(a[field], 1, 128) as tag,
  (hex_id) -> reinterpretAsUInt64(reverse(unhex(hex_id))) as number_of,
  if(a['response_model'] != '', a['response_model'], a['request_model']) as model_name,
  -- the host may know the provider better: itself with its port, itself, the domains above it
  lower(a['server_address']) as host,
  arrayFirst(x -> x != '', arrayMap(x -> dictGet('{db}.host_dict', 'provider', tuple(x)), if(host = '' or a['provider'] not in ('', 'openai'), [], [
    concat(host, ':', a['server_port']), host, substring(host, position(host, '.') + 1), arrayStringConcat(arraySlice(splitByChar('.', host), 3), '.')]))) as provider_of_host,
  if(provider_of_host != '', provider_of_host, lower(substringUTF8(a['provider'], 1, 128))) as provider_name,
  dictGet('{db}.operation_dict', ('operation', 'role'), tuple(a['operation'])) as operation_role,
  (isNotNull(count_of('input_tokens')) or isNotNull(count_of('output_tokens'))) as usage_known,
  -- the registry, read once per insert
  (select arraySort(r -> r.1, groupArray((rank, rule, emitter, scope, provider, version_from, version_before, cache_inside, reasoning_inside, tells_finish, invents_usage))) from {db}.usage_rules final) as rules,
  arrayMap(x -> toUInt32OrZero(x), splitByNonAlpha(ScopeVersion)) as version,
  arrayFirst(r -> startsWith(ScopeName, r.4) and (r.5 = '' or position(provider_name, r.5) > 0)
    and (empty(r.6) or version >= r.6) and (empty(r.7) or version < r.7), rules) as rule,
  count_or_0('input_tokens') as stated_input, count_or_0('output_tokens') as stated_output,
  count_or_0('cache_read_tokens') as cache_read, count_or_0('cache_write_tokens') as cache_write, count_or_0('reasoning_tokens') as reasoning,
  toUInt64(cache_read) + cache_write > stated_input as cache_exceeds,
  reasoning > stated_output as reasoning_exceeds,
  (a['stream'] = 'true' and rule.10 = 1 and a['finish'] = '') as stream_was_cut,
  -- a request that the provider turned away before it generated anything is not billed
  (toUInt16OrZero(a['http_status']) >= 400 or match(a['error_type'],
    '(?i)rate.?limit|bad.?request|invalid.?request|authentication|permission|not.?found|unprocessable|conflict|too.?large|internal.?server|server.?error|api_error|overloaded|unavailable|quota|^[45][0-9][0-9]$')) as turned_away
select
  Timestamp as ts,
  Timestamp + toIntervalNanosecond(Duration) as end_ts,
  toFixedString(unhex(TraceId), 16) as trace_id,
  number_of(SpanId) as span_id,
  number_of(if(a['genai_parent'] != '', a['genai_parent'], ParentSpanId)) as parent_span_id,
  multiIf(operation_role.2 != '', operation_role.2, usage_known and model_name != '', 'call', usage_known, 'wrapper', 'link') as role,
  rule.3 as emitter,
  concat(rule.2, if(usage_known and rule.8 = 1 and cache_exceeds, ', cached tokens exceed input: on top', ''), if(usage_known and rule.9 = 1 and reasoning_exceeds, ', reasoning exceeds output: on top', '')) as usage_rule,
  ServiceName as service,
  tag('environment') as environment, tag('tenant') as tenant, tag('team') as team, tag('feature') as feature, tag('user') as user, tag('session') as session,
  tag('task') as task, tag('task_id') as task_id, tag('agent') as agent, tag('agent_step') as agent_step,
  provider_name as provider_raw, substringUTF8(model_name, 1, 256) as model_raw,
  if(operation_role.1 != '', operation_role.1, if(role = 'call', 'chat', tag('operation'))) as operation,
  lower(tag('service_tier')) as service_tier,
  substringUTF8(a['response_id'], 1, 256) as response_id,
  multiIf(
    usage_known and rule.11 = 1 and a['stream'] = 'true', 'estimated',
    usage_known and (StatusCode = 'Error' or stream_was_cut), 'partial',
    usage_known, 'reported',
    StatusCode = 'Error' and turned_away, 'failed_not_billed',
    StatusCode = 'Error', 'failed_maybe_billed',
    'no_usage') as usage_state,
  toUInt32(stated_input + if(rule.8 = 0 or cache_exceeds, cache_read + cache_write, 0)) as input_tokens,
  cache_read as cache_read_tokens, cache_write as cache_write_tokens, least(count_or_0('cache_write_1h_tokens'), cache_write) as cache_write_1h_tokens,
  toUInt32(stated_output + if(rule.9 = 0 or reasoning_exceeds, reasoning, 0)) as output_tokens,
  reasoning as reasoning_tokens,
  count_or_0('input_audio_tokens') as input_audio_tokens, count_or_0('cache_read_audio_tokens') as cache_read_audio_tokens, count_or_0('input_image_tokens') as input_image_tokens,
  count_or_0('output_audio_tokens') as output_audio_tokens, count_or_0('output_image_tokens') as output_image_tokens, count_or_0('web_searches') as web_searches,
  usage_known as has_usage,
  toDecimal128OrNull(a['reported_cost_usd'], 24) as reported_cost_usd,
  if(StatusCode = 'Error', 'error', 'ok') as status, tag('error_type') as error_type,
  greatest(toUInt16OrZero(a['attempts']), toUInt16OrZero(a['resends']) + 1) as attempts,
  toUInt32(least(greatest(if(a['first_token_s'] != '', toFloat64OrZero(a['first_token_s']) * 1e6, toFloat64OrZero(a['first_token_ms']) * 1e3), 0), 4e9)) as time_to_first_token_us,
  count_or_0('system_chars') as system_chars, count_or_0('history_chars') as history_chars, count_or_0('user_chars') as user_chars,
  count_or_0('tool_chars') as tool_chars, count_or_0('retrieved_chars') as retrieved_chars, count_or_0('tool_definition_chars') as tool_definition_chars,
  number_of(substring(a['prompt_fingerprint'], 1, 16)) as prompt_fingerprint, number_of(substring(a['prefix_fingerprint'], 1, 16)) as prefix_fingerprint,
  number_of(substring(a['system_fingerprint'], 1, 16)) as system_fingerprint, number_of(substring(a['template_fingerprint'], 1, 16)) as template_fingerprint,
  tag('process') as process, count_or_0('sequence') as sequence, a['gateway'] = 'true' as gateway
from {db}.otel_traces
where length(TraceId) = 32 and length(SpanId) = 16;
