-- for each: spans = landed, again
-- The one normaliser. Attribute names come from attribute_names, operations from operations, what counts mean from usage_rules,
-- providers behind the OpenAI client from provider_hosts: to teach it a convention, insert rows there. It adds nothing that the span does
-- not say: an absent count stays absent. Where counts prove what they mean (a total, an uncached part, parts that exceed their whole), the
-- proof beats the rule, and usage_rule says so. The engine rewrites `dictGet(...) = constant` into a wrong IN where the key is a tuple; concat
-- keeps it from that. It takes tens of milliseconds to plan each `and` and `or` above deep subqueries, at every insert: least and greatest do not. It works in stages, because the engine analyses a name at each use and a column only once.
-- What has few values is looked up with toLowCardinality, for each value and not for each row: a scope, a host, the name of an attribute.
create or replace materialized view {db}.{reader} to {db}.genai_spans {as_its_maker}as
select
  ts, end_ts, trace_id, span_id, parent_span_id, role, scope, generation, tupleElement(rule, 'emitter') as emitter,
  concat(tupleElement(rule, 'rule'), if(usage_known, concat(input_proof, reasoning_proof, cache_split, doubt), ''), if(cost_refused, ', its cost is a count of tokens: refused', '')) as usage_rule,
  service, substringUTF8(a['environment'], 1, 128) as environment,
  substringUTF8(a['tenant'], 1, 128) as tenant, substringUTF8(a['team'], 1, 128) as team, substringUTF8(a['feature'], 1, 128) as feature,
  substringUTF8(a['user'], 1, 128) as user, substringUTF8(a['session'], 1, 128) as session, substringUTF8(a['task'], 1, 128) as task,
  substringUTF8(a['task_id'], 1, 128) as task_id, substringUTF8(a['agent'], 1, 128) as agent, substringUTF8(a['agent_step'], 1, 128) as agent_step,
  provider_raw, substringUTF8(model_name, 1, 256) as model_raw,
  if(known_operation.1 != '', known_operation.1, if(role = 'call', 'chat', substringUTF8(operation_name, 1, 128))) as operation,
  tier as service_tier,
  -- some write a word where there is no id: it would be the same id for all their calls
  if(lower(a['response_id']) in ('n/a', 'na', 'none', 'unknown', 'undefined', 'nil', '0', '-1'), '', substringUTF8(a['response_id'], 1, 256)) as response_id,
  multiIf(
    -- a subscription pays
    least(usage_known, lower(a['billing']) in ('subscription', 'flat', 'chatgpt', 'notional', 'oauth-personal')), 'notional',
    least(usage_known, tupleElement(rule, 'invents_usage'), a['stream'] = 'true'), 'estimated',
    -- not the whole truth: an error, a stream without a finish reason from an emitter that always tells it, a count that cannot be read,
    -- no input where there must be some, no output unless the emitter leaves zeros out
    least(usage_known, greatest(
      is_error, doubt != '', least(a['finish'] = '', greatest(tupleElement(rule, 'tells_finish') = 2, least(tupleElement(rule, 'tells_finish') = 1, a['stream'] = 'true'))),
      least(generates, greatest(all_input = 0, least(isNull(n['output_tokens']), greatest(tupleElement(rule, 'tells_finish') = 0, a['finish'] = '')))))), 'partial',
    -- kept for 5 minutes and for an hour, at two prices, and nobody tells how much for which
    least(usage_known, cache_ttls = '5m,1h'), 'unsplit',
    usage_known, 'reported',
    -- A request that the provider turned away before it generated anything is not billed: a status, or the name of a client's exception or
    -- of an API's error. One that a gateway gave up waiting for may have been answered; an application's own exception says nothing.
    least(is_error, not gave_up, greatest(http_status >= 400, match(error_name, '^[45][0-9][0-9]$'), match(error_name,
      '(?i)(^|[./:])(rate_?limit(_?exceeded)?|too_?many_?requests|throttling|resource_?exhausted|bad_?request|invalid_?request|authentication|unauthenticated|permission_denied|permissiondenied|access_?denied|(model_?|resource_?|deployment_?)?not_?found|unprocessable_?entity|conflict|(request_?|payload_?|request_?entity_?)too_?large|internal_?server|server|overloaded|(service_?)?unavailable|insufficient_?quota|(service_?)?quota_?exceeded|context_?(length|window)_?exceeded)(_?(error|exception))?$|(^|[./:])(api_error|permission_error)$'))), 'failed_not_billed',
    is_error, 'failed_maybe_billed',
    'no_usage') as usage_state,
  toUInt32(least(all_input, 4294967295)) as input_tokens,
  cache_read_tokens, cache_write_tokens, least(toUInt32(coalesce(n['cache_write_1h_tokens'], cache_write_tokens - n['cache_write_5m_tokens'], cache_write_tokens * (cache_ttls = '1h'))), cache_write_tokens) as cache_write_1h_tokens,
  toUInt32(least(stated_output + if(reasoning_on_top, reasoning_tokens, 0), 4294967295)) as output_tokens, reasoning_tokens,
  ifNull(n['input_audio_tokens'], 0) as input_audio_tokens, ifNull(n['cache_read_audio_tokens'], 0) as cache_read_audio_tokens, ifNull(n['input_image_tokens'], 0) as input_image_tokens,
  ifNull(n['output_audio_tokens'], 0) as output_audio_tokens, ifNull(n['output_image_tokens'], 0) as output_image_tokens, ifNull(n['web_searches'], 0) as web_searches,
  usage_known as has_usage, if(cost_refused, null, told_cost) as reported_cost_usd,
  if(is_error, 'error', 'ok') as status, substringUTF8(error_name, 1, 128) as error_type,
  greatest(toUInt16OrZero(a['attempts']), toUInt16OrZero(a['resends']) + 1) as attempts,
  toUInt32(least(greatest(if(a['first_token_s'] != '', toFloat64OrZero(a['first_token_s']) * 1e6, toFloat64OrZero(a['first_token_ms']) * 1e3), 0), 4e9)) as time_to_first_token_us,
  ifNull(n['system_chars'], 0) as system_chars, ifNull(n['history_chars'], 0) as history_chars, ifNull(n['user_chars'], 0) as user_chars,
  ifNull(n['tool_chars'], 0) as tool_chars, ifNull(n['retrieved_chars'], 0) as retrieved_chars, ifNull(n['tool_definition_chars'], 0) as tool_definition_chars, ifNull(n['max_tokens'], 0) as max_tokens,
  reinterpretAsUInt64(reverse(unhex(substring(a['prompt_fingerprint'], 1, 16)))) as prompt_fingerprint,
  reinterpretAsUInt64(reverse(unhex(substring(a['prefix_fingerprint'], 1, 16)))) as prefix_fingerprint,
  reinterpretAsUInt64(reverse(unhex(substring(a['system_fingerprint'], 1, 16)))) as system_fingerprint,
  reinterpretAsUInt64(reverse(unhex(substring(a['template_fingerprint'], 1, 16)))) as template_fingerprint,
  substringUTF8(a['process'], 1, 128) as process, ifNull(n['sequence'], 0) as sequence,
  -- the vendor's own span of a call is a witness as a gateway's is: the caller's service and tags count
  greatest(a['gateway'] = 'true', startsWith(scope, 'com.anthropic.claude-platform')) as gateway,
  -- an account or region in the model's name or host is the call's own; that of the service's machine counts where the model runs in the same cloud
  substringUTF8(arrayFirst(x -> x != '', [a['account'], place.2, azure_resource, if(same_cloud, a['cloud_account'], '')]), 1, 128) as account,
  lower(substringUTF8(arrayFirst(x -> x != '', [a['region'], place.1, region_of_host, if(same_cloud, a['cloud_region'], '')]), 1, 128)) as region,
  arrayStringConcat(arrayFilter(x -> x != '', [
    if(greatest(tier = 'batch', lower(a['processing']) = 'batch'), 'processing=batch', ''),
    if(a['route'] != '', concat('route=', lower(substringUTF8(a['route'], 1, 128))), ''),
    if(a['search_type'] != '', concat('search_type=', lower(substringUTF8(a['search_type'], 1, 128))), ''),
    if(tier in ('', 'default', 'standard', 'standard_only', 'auto', 'on_demand', 'batch'), '', concat('service_tier=', tier)),
    if(lower(a['speed']) = 'fast', 'speed=fast', '')]), ',') as price_context
from (
  -- stage 5: what the counts are, by proof or else by the rule; least and greatest stand for and and or (see above)
  select
    *,
    greatest(reasoning_tokens > stated_output, reasoning_proven, tupleElement(rule, 'reasoning_inside') = 0) as reasoning_on_top,
    multiIf(reasoning_tokens > stated_output, ', reasoning exceeds output: on top', least(reasoning_proven, tupleElement(rule, 'reasoning_inside')), ', the total says that reasoning is on top', '') as reasoning_proof,
    -- counts that cannot be read or do not add up; the bounds of the cost know them by the word doubtful
    multiIf(
      some_unreadable, ', doubtful: a count cannot be read',
      greatest(cached > all_input, toUInt64(ifNull(n['input_audio_tokens'], 0)) > all_input, ifNull(n['cache_read_audio_tokens'], 0) > cache_read_tokens, toUInt64(ifNull(n['output_audio_tokens'], 0)) > stated_output + if(reasoning_on_top, reasoning_tokens, 0)), ', doubtful: a part exceeds its whole',
      total > all_input + stated_output + reasoning_tokens, ', doubtful: the total exceeds its parts',
      '') as doubt,
    -- what the request asked for, where the answer does not tell how long the cache keeps it
    if(greatest(cache_write_tokens = 0, isNotNull(n['cache_write_1h_tokens']), isNotNull(n['cache_write_5m_tokens'])), '', a['cache_write_ttls']) as cache_ttls,
    transform(cache_ttls, ['1h', '5m,1h'], [', cached for an hour as requested', ', cached for 5 minutes and an hour: how much for which is not told'], '') as cache_split,
    -- a cost may not be negative, nor be one of the counts
    greatest(stated_cost < 0, least(stated_cost >= 1, has([stated_input, stated_output, total, stated_input + stated_output], toUInt64(greatest(stated_cost, 0))), stated_cost = toUInt64(greatest(stated_cost, 0)))) as cost_refused,
    multiIf(
      -- a stream is told twice; this is the telling without its end: a call that was not streamed would name its response
      least(tupleElement(rule, 'streams_twice'), generates, a['span_type'] = 'span', not usage_known, not is_error, a['response_id'] = '', a['finish'] = ''), 'link',
      concat(dictGet('{db}.operation_dict', 'role', tuple(a['call_type'])), '') = 'link', 'link',
      plain_role) as role
  from (
  -- stage 4b: how much the whole input is, by the first proof there is
  select
    *,
    multiIf(
      whole_told, ', the name says that cached tokens are inside',
      rest_told, ', the uncached part is told',
      least(sum_told, tupleElement(rule, 'cache_inside')), ', the total says that cached tokens are on top',
      inside_told, ', the total says that cached tokens are inside',
      least(cached > stated_input, tupleElement(rule, 'cache_inside')), ', cached tokens exceed input: on top',
      '') as input_proof,
    multiIf(
      whole_told, stated_input,
      rest_told, greatest(stated_input, uncached + cached),
      sum_told, stated_input + cached,
      inside_told, stated_input,
      greatest(cached > stated_input, tupleElement(rule, 'cache_inside') = 0), stated_input + cached,
      stated_input) as all_input,
    least(reasoning_tokens > 0, total = all_input + stated_output + reasoning_tokens) as reasoning_proven
  from (
  -- stage 4a: what the counts prove
  select
    *,
    toUInt64(ifNull(n['uncached_tokens'], 0)) as uncached,
    least(isNotNull(n['all_input_tokens']), cached <= stated_input) as whole_told,
    isNotNull(n['uncached_tokens']) as rest_told,
    least(cached > 0, has([stated_input + stated_output + cached, stated_input + stated_output + cached + reasoning_tokens], total)) as sum_told,
    least(cached > 0, tupleElement(rule, 'cache_inside') = 0, tupleElement(rule, 'total_decides') = 1, total = stated_input + stated_output, cached <= stated_input) as inside_told
  from (
  -- stage 3: the rule that reads the counts
  select
    *,
    multiIf(known_operation.2 != '', known_operation.2, least(usage_known, model_name != ''), 'call', usage_known, 'wrapper', 'link') as plain_role,
    arrayFirst(r -> least(greatest(tupleElement(r, 'provider') = '', position(provider_raw, tupleElement(r, 'provider')) > 0), greatest(tupleElement(r, 'model') = '', position(model_name, tupleElement(r, 'model')) > 0),
      greatest(empty(tupleElement(r, 'version_from')), version >= tupleElement(r, 'version_from')), greatest(empty(tupleElement(r, 'version_before')), version < tupleElement(r, 'version_before'))), rules_of_scope) as rule,
    greatest(http_status in (408, 499, 504, 522, 524), error_name in ('408', '499', '504', '522', '524'), match(error_name, '(?i)time_?d?_?out|deadline'), match(status_message, 'Error code: (408|499|504|522|524)')) as gave_up,
    toUInt64(cache_read_tokens) + cache_write_tokens as cached,
    known_operation.1 in ('chat', 'text_completion', 'generate_content') as generates,
    -- region and account in an ARN, location and project in a path of Vertex
    multiIf(
      startsWith(a['request_model'], 'arn:'), (splitByChar(':', a['request_model'])[4], splitByChar(':', a['request_model'])[5]),
      startsWith(a['request_model'], 'projects/'), (splitByChar('/', a['request_model'])[4], splitByChar('/', a['request_model'])[2]),
      ('', '')) as place,
    extract(host, '^(?:bedrock[a-z-]*\\.)?([a-z]{2,}(?:-[a-z]+)*-?[0-9]*)(?:\\.amazonaws\\.com|-aiplatform\\.googleapis\\.com|\\.api\\.openai\\.com|\\.api\\.cognitive\\.microsoft\\.com)$') as region_of_host,
    extract(host, '^([a-z0-9-]+)\\.(?:openai|services\\.ai|cognitiveservices)\\.azure\\.com$') as azure_resource,
    (a['cloud'], provider_raw) in (('aws', 'aws.bedrock'), ('aws', 'bedrock'), ('aws', 'aws_bedrock'), ('gcp', 'gcp.vertex_ai'), ('gcp', 'vertex_ai'), ('azure', 'azure.ai.openai'), ('azure', 'azure.ai.inference')) as same_cloud
  from (
    -- stage 2: names that have a meaning of their own
    with (select (concat('^(', arrayStringConcat(arrayReverseSort(x -> length(x), groupArray(regexpQuoteMeta(scope))), '|'), ')'), groupArray(scope), groupArray(rules)) from {db}.usage_rule_dict) as known_rules
    select
      *,
      if(a['response_model'] != '', a['response_model'], a['request_model']) as model_name,
      if(a['operation'] != '', a['operation'], if(greatest(is_scoped, a['event'] != ''), span_name, '')) as operation_name,
      dictGet('{db}.operation_dict', ('operation', 'role'), operation_name) as known_operation,
      -- of several names for one field the first counts; counts that are all zero say nothing: no call is free of tokens
      arrayExists((field, value, nth) -> least(nth = 1, ifNull(value, 0) > 0, field in ('input_tokens', 'all_input_tokens', 'uncached_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens')), mapKeys(n), mapValues(n), arrayEnumerateUniq(mapKeys(n))) as usage_known,
      arrayExists((field, value, nth) -> least(nth = 1, isNull(value), field in ('input_tokens', 'all_input_tokens', 'uncached_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'reasoning_tokens')), mapKeys(n), mapValues(n), arrayEnumerateUniq(mapKeys(n))) as some_unreadable,
      -- few rules are left of the scope, and only of these the rest is asked; a rule's scope that ends with $ is the whole name. The dictionary
      -- itself would give out its rules value by value
      known_rules.3[indexOf(known_rules.2, extract(whole_scope, known_rules.1))] as rules_of_scope,
      toUInt64(coalesce(n['all_input_tokens'], n['input_tokens'], 0)) as stated_input, toUInt64(ifNull(n['output_tokens'], 0)) as stated_output, toUInt64(ifNull(n['total_tokens'], 0)) as total,
      toDecimal128OrNull(a['reported_cost_usd'], 24) as told_cost, ifNull(told_cost, 0) as stated_cost,
      ifNull(n['cache_read_tokens'], 0) as cache_read_tokens,
      -- some tell the parts of what was written to the cache and not, or a 0 as, their sum
      ifNull(n['cache_write_5m_tokens'], 0) as told_5m, ifNull(n['cache_write_1h_tokens'], 0) as told_1h,
      toUInt32(least(greatest(ifNull(n['cache_write_tokens'], 0), toUInt64(told_5m) + told_1h), 4294967295)) as cache_write_tokens, ifNull(n['reasoning_tokens'], 0) as reasoning_tokens,
      -- an emitter without error.type may begin its status with the exception's name
      if(a['error_type'] != '', a['error_type'], extract(status_message, '^([A-Za-z_.]+(?:Error|Exception))\\b')) as error_name,
      toUInt16OrZero(a['http_status']) as http_status,
      lower(substringUTF8(a['service_tier'], 1, 128)) as tier,
      toLowCardinality(lower(a['server_address'])) as host,
      -- the host may know the provider better: itself with its port, itself, the domains above it
      lower(substringUTF8(a['provider'], 1, 128)) as told_provider,
      if(greatest(host = '', told_provider not in ('', 'openai')), told_provider, arrayFirst(x -> x != '', [
        dictGet('{db}.host_dict', 'provider', toLowCardinality(concat(host, ':', lower(a['server_port'])))), dictGet('{db}.host_dict', 'provider', host),
        dictGet('{db}.host_dict', 'provider', extract(host, '(?s)^[^.]*\\.(.*)')), dictGet('{db}.host_dict', 'provider', extract(host, '(?s)^[^.]*\\.[^.]*\\.(.*)')), told_provider])) as provider_raw,
      reinterpretAsUInt64(reverse(unhex(if(a['genai_parent'] != '', a['genai_parent'], real_parent)))) as parent_span_id
    from (
      -- stage 1c: words and counts apart, because short maps are searched quickly. A count is a whole number, also when it comes as '12.0';
      -- anything else is no count
      select
        * except (known),
        CAST(arrayMap(x -> (x.1, toValidUTF8(x.2)), arrayFilter(x -> not greatest(endsWith(x.1, '_tokens'), endsWith(x.1, '_chars'), x.1 in ('sequence', 'web_searches')), known)), 'Map(String, String)') as a,
        CAST(arrayMap(x -> (x.1, coalesce(toUInt32OrNull(x.2), accurateCastOrNull(toFloat64OrNull(x.2), 'UInt32'))), arrayFilter(x -> greatest(endsWith(x.1, '_tokens'), endsWith(x.1, '_chars'), x.1 in ('sequence', 'web_searches')), known)), 'Map(String, Nullable(UInt32))') as n
      from (
        -- stage 1b: the attributes that mean something, best first; a span's own beat its resource's. The members of objects are names of
        -- their own, four levels deep; LiteLLM writes Python's form of an object
        select
          * except (named),
          arraySort(x -> (x.3, x.4), arrayFilter(x -> least(x.1 != '', not startsWith(x.1, 'json'), x.2 != '', x.2 != 'null'), if(arrayExists(x -> startsWith(x.1, 'json'), named), arrayConcat(named, arrayMap(
            member -> (dictGet('{db}.attribute_dict', 'field', tuple(member.1)), if(startsWith(member.2, '"'), JSONExtractString(member.2), member.2), dictGet('{db}.attribute_dict', 'rank', tuple(member.1)), member.1),
            arrayFold(
              (found, level) -> arrayConcat(found, arrayFlatten(arrayMap(m -> arrayMap(q -> (concat(m.1, '.', q.1), q.2, level), JSONExtractKeysAndValuesRaw(m.2)), arrayFilter(m -> least(m.3 + 1 = level, greatest(level = 1, startsWith(m.2, '{'))), found)))),
              [1, 2, 3, 4],
              arrayMap(x -> (x.4, if(startsWith(x.2, '{\''), replaceAll(replaceAll(replaceAll(replaceAll(toValidUTF8(x.2), '\'', '"'), ': None', ': null'), ': True', ': true'), ': False', ': false'), toValidUTF8(x.2)), 0), arrayFilter(x -> startsWith(x.1, 'json'), named))))),
            named))) as known
        from (
          -- stage 1a: what each name means; the attributes of a scoped span have plain names, and are also looked up behind its name
          select
            * except (SpanAttributes, ResourceAttributes),
            arrayFilter(x -> x.1 != '', arrayMap(
              (name, value, more) -> (dictGet('{db}.attribute_dict', 'field', toLowCardinality(name)), value, dictGet('{db}.attribute_dict', 'rank', toLowCardinality(name)) + more, name),
              arrayConcat(mapKeys(SpanAttributes), if(is_scoped, arrayMap(name -> concat(span_name, '.', name), mapKeys(SpanAttributes)), CAST([], 'Array(String)')), mapKeys(ResourceAttributes)),
              arrayConcat(mapValues(SpanAttributes), if(is_scoped, mapValues(SpanAttributes), []), mapValues(ResourceAttributes)),
              arrayConcat(arrayWithConstant(length(SpanAttributes) * (1 + is_scoped), 0), arrayWithConstant(length(ResourceAttributes), 100)))) as named
          from (
            select
              Timestamp as ts, Timestamp + toIntervalNanosecond(Duration) as end_ts, toFixedString(unhex(TraceId), 16) as trace_id, SpanName as span_name,
              reinterpretAsUInt64(reverse(unhex(SpanId))) as span_id, ParentSpanId as real_parent, ServiceName as service, toLowCardinality(concat(ScopeName, '$')) as whole_scope, substringUTF8(toValidUTF8(ScopeName), 1, 128) as scope, {generation} as generation,
              StatusCode = 'Error' as is_error, if(StatusCode = 'Error', StatusMessage, '') as status_message,
              arrayMap(x -> toUInt32OrZero(x), splitByNonAlpha(ScopeVersion)) as version,
              concat(dictGet('{db}.attribute_dict', 'field', span_name), '') = 'scoped' as is_scoped, SpanAttributes, ResourceAttributes
            from {db}.{landing}
            where length(TraceId) = 32 and length(SpanId) = 16)))))))));
