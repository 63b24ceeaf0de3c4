-- One row per candidate of a price book (0: the one in force), with its prices; of one provider and model, or of all (empty), valid at a time, or at any (0).
select
  s.contract as contract, s.provider as provider, s.model as model, s.context as context, s.valid_from as valid_from, s.valid_to as valid_to,
  s.above as above_tokens, s.start as from_minute, s.until as to_minute, s.rate as rate_id, r.source as source, r.source_version as source_version,
  r.learned_at as learned_at,
  r.input_usd_per_token, r.cache_read_usd_per_token, r.cache_write_5m_usd_per_token, r.cache_write_1h_usd_per_token, r.output_usd_per_token,
  r.request_usd, r.input_audio_usd_per_token, r.cache_read_audio_usd_per_token, r.input_image_usd_per_token,
  r.output_reasoning_usd_per_token, r.output_audio_usd_per_token, r.output_image_usd_per_token, r.web_search_usd
from (
  select contract, provider, model, context, valid_from, valid_to, above, start, until, rate
  from rate_segments
  array join above_tokens as above, from_minute as start, to_minute as until, rate_ids as rate
  where book = if({book:UInt32} = 0, (select max(book) from price_books), {book:UInt32})
    and ({provider:String} = '' or provider = {provider:String})
    and ({model:String} = '' or model = {model:String})
    and ({at:UInt32} = 0 or (toUnixTimestamp(valid_from) <= {at:UInt32} and {at:UInt32} < toUnixTimestamp(valid_to)))
) as s
inner join (select * from rates final) as r on r.rate_id = s.rate
order by provider, model, contract, context, valid_from, above_tokens, from_minute
