-- The limit that the request set to its output.
alter table {db}.genai_spans add column if not exists max_tokens UInt32 default 0 comment 'See genai_calls';
