-- The limit that a request sets to its output, under all its names: it bounds what a call without usage can have cost.
insert into {db}.attribute_names (name, field, rank, origin) values
  ('gen_ai.request.max_tokens', 'max_tokens', 1, 'otel'),
  ('gen_ai.request.max_output_tokens', 'max_tokens', 2, 'otel-old'),
  ('gen_ai.openai.request.max_completion_tokens', 'max_tokens', 3, 'otel-old'),
  ('ai.settings.maxOutputTokens', 'max_tokens', 4, 'vercel'),
  ('ai.settings.maxTokens', 'max_tokens', 5, 'vercel'),
  ('llm.request.max_tokens', 'max_tokens', 6, 'openllmetry');
