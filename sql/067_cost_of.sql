-- The one definition of cost: the dot product of a rate and the disjoint quantities of genai_calls (an
-- array in the order of the names below), exact in Decimal(38, 24).
-- Rate 0 gives 0: whether that is money or ignorance, completeness_of says.
create or replace function {db}_cost_of {on_cluster} as (rate_id, quantities) ->
  dotProduct(dictGet('{db}.rate_dict', (
    'input_usd_per_token', 'cache_read_usd_per_token', 'cache_write_5m_usd_per_token', 'cache_write_1h_usd_per_token', 'output_usd_per_token', 'request_usd', 'input_audio_usd_per_token', 'cache_read_audio_usd_per_token', 'input_image_usd_per_token', 'output_reasoning_usd_per_token', 'output_audio_usd_per_token', 'output_image_usd_per_token', 'web_search_usd'),
    toUInt64(rate_id)),
    (quantities[1], quantities[2], quantities[3], quantities[4], quantities[5], quantities[6], quantities[7],
      quantities[8], quantities[9], quantities[10], quantities[11], quantities[12], quantities[13]));
