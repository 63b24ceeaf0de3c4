-- The limit that the request set to its output: it bounds what a call without usage can have cost.
alter table {db}.genai_calls add column if not exists max_tokens UInt32 default 0 codec(T64, ZSTD(1)) comment 'Most output tokens that the request allowed; 0: unknown';
