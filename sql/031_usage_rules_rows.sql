-- The rules that are known from the start.
insert into {db}.usage_rules (rank, rule, emitter, scope, provider, version_from, version_before, cache_inside, reasoning_inside, tells_finish, invents_usage, note) values
  (10, 'anthropic-native', 'anthropic', 'com.anthropic.sdk.python', '', [], [], 1, 1, 1, 0, 'The client''s own span; the only one with the cache write split by time to live'),
  (20, 'otel-bedrock', 'otel', 'opentelemetry.instrumentation.genai.bedrock', '', [], [], 0, 1, 0, 0, 'Converse counts exclude cached tokens; measured'),
  (21, 'otel-botocore', 'otel', 'opentelemetry.instrumentation.botocore', '', [], [], 0, 1, 0, 0, 'Converse counts exclude cached tokens; measured'),
  (30, 'otel-genai', 'otel', 'opentelemetry.instrumentation.genai.', '', [], [], 1, 1, 1, 0, 'As the convention says; measured'),
  (31, 'otel-google-genai', 'otel', 'opentelemetry.instrumentation.google_genai', '', [], [], 1, 1, 0, 0, 'As the convention says'),
  (40, 'openlit-anthropic', 'openlit', 'openlit.', 'anthropic', [], [], 0, 1, 0, 1, 'Excludes cached tokens; measured'),
  (41, 'openlit', 'openlit', 'openlit.', '', [], [], 1, 1, 0, 1, 'Invents counts for streams without usage; measured'),
  (50, 'openllmetry-bedrock', 'openllmetry', 'opentelemetry.instrumentation.bedrock', '', [], [], 0, 1, 0, 0, 'Converse counts exclude cached tokens; measured'),
  (51, 'openllmetry', 'openllmetry', 'opentelemetry.instrumentation.', '', [], [], 1, 1, 0, 0, 'Includes cached tokens; measured'),
  (60, 'openinference-bedrock', 'openinference', 'openinference.instrumentation.bedrock', '', [], [], 0, 1, 0, 0, 'Converse counts exclude cached tokens; measured'),
  (61, 'openinference', 'openinference', 'openinference.', '', [], [], 1, 1, 0, 0, 'Includes cached tokens; measured'),
  (70, 'vercel', 'vercel', 'ai', '', [], [], 1, 1, 0, 0, 'Normalised by the AI SDK'),
  (80, 'bedrock', 'other', '', 'bedrock', [], [], 0, 1, 0, 0, 'Converse counts exclude cached tokens'),
  (999, 'convention', 'other', '', '', [], [], 1, 1, 0, 0, 'Nothing known of this emitter: the OpenTelemetry convention is assumed');
