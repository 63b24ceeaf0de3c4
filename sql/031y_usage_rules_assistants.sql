-- Rules of coding assistants, of frameworks beyond Python and of the vendor's own spans.
insert into {db}.usage_rules (rank, rule, emitter, scope, provider, version_from, version_before, cache_inside, reasoning_inside, tells_finish, invents_usage, note) values
  (11, 'anthropic-sdk', 'anthropic', 'com.anthropic.sdk.', '', [], [], 1, 1, 0, 0, 'The clients'' own spans in other languages: as the convention says, says their documentation'),
  (12, 'anthropic-api', 'anthropic', 'com.anthropic.claude-platform', '', [], [], 1, 1, 0, 0, 'The API''s own spans: as the convention says, says their documentation'),
  (52, 'openllmetry-js', 'openllmetry', '@traceloop/', '', [], [], 1, 1, 0, 0, 'The vendor''s counts as they are; without cached ones'),
  (62, 'openinference-js', 'openinference', '@arizeai/openinference', '', [], [], 1, 1, 0, 0, 'The vendor''s counts as they are; without cached ones for Anthropic'),
  (86, 'gemini-cli', 'gemini-cli', 'gemini_cli$', '', [], [], 1, 0, 0, 0, 'Counts of Gemini: cached ones inside the prompt, thoughts beside the candidates, as its source says'),
  (87, 'qwen-code', 'qwen-code', 'qwen-code$', '', [], [], 1, 1, 0, 0, 'Counts of the OpenAI protocol in Gemini''s names: cached and reasoning ones inside'),
  (88, 'semantic-kernel', 'semantic-kernel', 'Microsoft.SemanticKernel', '', [], [], 1, 1, 0, 0, 'Counts of the OpenAI protocol; -1 where there are none'),
  (89, 'microsoft-extensions-ai', 'microsoft-extensions-ai', 'Experimental.Microsoft.Extensions.AI', '', [], [], 1, 1, 0, 0, 'As the convention says'),
  (90, 'mastra', 'mastra', '@mastra/', '', [], [], 1, 1, 0, 0, 'Normalised by the AI SDK'),
  (91, 'openrouter', 'openrouter', 'openrouter', '', [], [], 1, 1, 0, 0, 'Answers in OpenAI''s form for every provider'),
  (92, 'copilot', 'copilot', 'copilot', '', [], [], 1, 1, 0, 0, 'As the convention says'),
  (92, 'copilot-runtime', 'copilot', 'github.copilot', '', [], [], 1, 1, 0, 0, 'As the convention says');
