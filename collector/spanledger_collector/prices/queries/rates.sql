-- All rates that any price book ever used.
select
  rate_id, provider, model, source,
  input_usd_per_token, cache_read_usd_per_token, cache_write_5m_usd_per_token, cache_write_1h_usd_per_token, output_usd_per_token,
  request_usd, input_audio_usd_per_token, cache_read_audio_usd_per_token, input_image_usd_per_token,
  output_reasoning_usd_per_token, output_audio_usd_per_token, output_image_usd_per_token, web_search_usd
from rates final
order by rate_id
