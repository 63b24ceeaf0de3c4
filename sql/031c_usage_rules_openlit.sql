-- OpenLIT passes Bedrock's counts on as they are, as it does Anthropic's.
insert into {db}.usage_rules (rank, rule, emitter, scope, provider, version_from, version_before, cache_inside, reasoning_inside, tells_finish, invents_usage, note) values
  (40, 'openlit-bedrock', 'openlit', 'openlit.', 'bedrock', [], [], 0, 1, 0, 1, 'Converse counts exclude cached tokens'),
  (40, 'openlit-bedrock-aws', 'openlit', 'openlit.', 'aws', [], [], 0, 1, 0, 1, 'Converse counts exclude cached tokens');
