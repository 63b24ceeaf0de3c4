-- The state of a call's cost, from how its usage is known and which rates there are: that of its context (exact), or that of any
-- context (a tier without a price of its own is priced at standard, and says so). audio: 1 with audio input, 2 with audio output, 3 with both.
-- A list without a price for audio charges it as text, which no provider does: such a rate, also
-- one that a region or a contract changed, is known by the equal prices. An owner's own counts.
create or replace function {db}_completeness_of {on_cluster} as (usage_state, audio, context_rate_id, rate_id) ->
  multiIf(
    usage_state in ('failed_not_billed', 'failed_maybe_billed', 'no_usage', 'notional'), usage_state,
    rate_id = 0, 'unpriced_model',
    usage_state = 'reported' and context_rate_id != 0 and not (audio != 0 and dictGet('{db}.rate_dict', 'source', toUInt64(context_rate_id)) != 'override' and (
      audio in (1, 3) and dictGet('{db}.rate_dict', 'input_usd_per_token', toUInt64(context_rate_id)) != 0 and dictGet('{db}.rate_dict', 'input_audio_usd_per_token', toUInt64(context_rate_id)) = dictGet('{db}.rate_dict', 'input_usd_per_token', toUInt64(context_rate_id))
      or audio in (2, 3) and dictGet('{db}.rate_dict', 'output_usd_per_token', toUInt64(context_rate_id)) != 0 and dictGet('{db}.rate_dict', 'output_audio_usd_per_token', toUInt64(context_rate_id)) = dictGet('{db}.rate_dict', 'output_usd_per_token', toUInt64(context_rate_id)))), 'priced',
    -- which cache writes are for an hour is not known, and does not matter where they have one price
    usage_state = 'unsplit' and context_rate_id != 0 and dictGet('{db}.rate_dict', 'cache_write_5m_usd_per_token', toUInt64(context_rate_id)) = dictGet('{db}.rate_dict', 'cache_write_1h_usd_per_token', toUInt64(context_rate_id)), 'priced',
    'estimated');
