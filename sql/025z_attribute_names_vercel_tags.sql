-- Tags that a service in Node gives in the metadata of Vercel's AI SDK; its functionId is the feature.
insert into {db}.attribute_names (name, field, rank, origin) values
  ('ai.telemetry.metadata.team', 'team', 66, 'vercel'),
  ('ai.telemetry.metadata.task', 'task', 66, 'vercel');
