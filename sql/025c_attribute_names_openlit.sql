-- The name by which OpenLIT tells a stream; the counts of its streams may be its own guess.
insert into {db}.attribute_names (name, field, rank, origin) values
  ('gen_ai.request.is_stream', 'stream', 6, 'openlit');
