-- What a rate is, by number. A missing number reads as zeros, so every use checks rate_id != 0 first.
create or replace dictionary {db}.rate_dict (
  rate_id UInt64, source String,
  input_usd_per_token Decimal(38, 24), cache_read_usd_per_token Decimal(38, 24), cache_write_5m_usd_per_token Decimal(38, 24),
  cache_write_1h_usd_per_token Decimal(38, 24), output_usd_per_token Decimal(38, 24), request_usd Decimal(38, 24),
  input_audio_usd_per_token Decimal(38, 24), cache_read_audio_usd_per_token Decimal(38, 24), input_image_usd_per_token Decimal(38, 24),
  output_reasoning_usd_per_token Decimal(38, 24), output_audio_usd_per_token Decimal(38, 24), output_image_usd_per_token Decimal(38, 24),
  web_search_usd Decimal(38, 24)
)
primary key rate_id
source(clickhouse({credentials}query 'select toUInt64(rate_id) as rate_id, source, input_usd_per_token, cache_read_usd_per_token, cache_write_5m_usd_per_token, cache_write_1h_usd_per_token, output_usd_per_token, request_usd, input_audio_usd_per_token, cache_read_audio_usd_per_token, input_image_usd_per_token, output_reasoning_usd_per_token, output_audio_usd_per_token, output_image_usd_per_token, web_search_usd from {db}.rates final'))
layout(flat(max_array_size 5000000))
lifetime({lifetime})
comment 'Rates by number';
