-- The input that was written to the cache, split by how long it is kept: some emitters tell the parts and not their sum.
insert into {db}.attribute_names (name, field, rank, origin) values
  ('anthropic.usage.cache_creation.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 1, 'anthropic'),
  ('gen_ai.usage.details.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 2, 'pydantic-ai'),
  ('ai.response.providerMetadata.anthropic.usage.cache_creation.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 20, 'vercel'),
  ('gen_ai.usage.raw.cache_creation.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 30, 'logfire'),
  ('metadata.usage_object.prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 40, 'litellm'),
  ('langfuse.observation.usage_details.input_cache_creation_5m', 'cache_write_5m_tokens', 53, 'langfuse'),
  ('langfuse.observation.usage_details.cache_creation.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 54, 'langfuse'),
  ('langfuse.observation.usage_details.input_ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 55, 'langfuse'),
  ('langfuse.observation.usage_details.ephemeral_5m_input_tokens', 'cache_write_5m_tokens', 56, 'langfuse'),
  ('langfuse.observation.usage_details.input_ephemeral_1h_input_tokens', 'cache_write_1h_tokens', 55, 'langfuse'),
  ('langfuse.observation.usage_details.ephemeral_1h_input_tokens', 'cache_write_1h_tokens', 56, 'langfuse');
