-- for each: book = standing, draft
-- Which candidates are valid at a time, for the {which} price book.
create or replace dictionary {db}.{draft}segment_dict (
  contract String, provider String, model String, context String,
  valid_from DateTime('UTC'), valid_to DateTime('UTC'),
  above_tokens Array(UInt32), from_minute Array(UInt16), to_minute Array(UInt16), rate_ids Array(UInt32)
)
primary key contract, provider, model, context
source(clickhouse({credentials}query 'select contract, provider, model, context, valid_from, valid_to - interval 1 second as valid_to, above_tokens, from_minute, to_minute, rate_ids from {db}.rate_segments where book = ({book})'))
layout(complex_key_range_hashed(range_lookup_strategy 'max'))
range(min valid_from max valid_to)
lifetime({lifetime})
comment 'Rate candidates of the {which} price book; both ends of a range are inclusive';
