-- Operations of coding assistants and of Semantic Kernel. Gemini CLI tells of a response twice: in its own event, with all counts, and in
-- the convention's, without cached and reasoning ones. A name behind a scope and a slash holds for that scope alone.
insert into {db}.operations (name, operation, role, origin) values
  ('gemini_cli.api_response', 'generate_content', 'call', 'gemini-cli'),
  ('gemini_cli.api_error', 'generate_content', 'call', 'gemini-cli'),
  ('gemini-cli/gen_ai.client.inference.operation.details', 'generate_content', 'link', 'gemini-cli'),
  ('qwen-code.api_response', 'chat', 'call', 'qwen-code'),
  ('qwen-code.api_error', 'chat', 'call', 'qwen-code'),
  ('qwen-code/gen_ai.client.inference.operation.details', 'chat', 'link', 'qwen-code'),
  ('chat.completions', 'chat', 'call', 'semantic-kernel'),
  ('text.completions', 'text_completion', 'call', 'semantic-kernel'),
  ('orchestrate_tools', 'invoke_agent', 'wrapper', 'microsoft-extensions-ai');
