-- The presets; how they were chosen and how they do: anomalies.md.
insert into {db}.anomaly_thresholds (preset, rule, threshold) values
  ('quiet', 'spike', 3.5), ('balanced', 'spike', 3), ('sensitive', 'spike', 2),
  ('quiet', 'sustained', 4), ('balanced', 'sustained', 3), ('sensitive', 'sustained', 2),
  ('quiet', 'price', 2.5), ('balanced', 'price', 2.25), ('sensitive', 'price', 2),
  ('quiet', 'tokens_6h', 2.5), ('balanced', 'tokens_6h', 1.8), ('sensitive', 'tokens_6h', 1.75),
  ('quiet', 'tokens_24h', 2), ('balanced', 'tokens_24h', 1.4), ('sensitive', 'tokens_24h', 1.35),
  ('quiet', 'cache', 0.1), ('balanced', 'cache', 0.1), ('sensitive', 'cache', 0.1),
  ('quiet', 'creep', 20), ('balanced', 'creep', 20), ('sensitive', 'creep', 18),
  ('quiet', 'unit_cost', 3), ('balanced', 'unit_cost', 2.5), ('sensitive', 'unit_cost', 1.75),
  ('quiet', 'repeats', 0.3), ('balanced', 'repeats', 0.2), ('sensitive', 'repeats', 0.15),
  ('quiet', 'session', 4), ('balanced', 'session', 3), ('sensitive', 'session', 2),
  ('quiet', 'retries', 2), ('balanced', 'retries', 1.7), ('sensitive', 'retries', 1.5),
  ('quiet', 'huge_call', 20), ('balanced', 'huge_call', 10), ('sensitive', 'huge_call', 5),
  ('quiet', 'prompt', 1.25), ('balanced', 'prompt', 1.15), ('sensitive', 'prompt', 1.1),
  ('quiet', 'lost_traffic', 8), ('balanced', 'lost_traffic', 8), ('sensitive', 'lost_traffic', 8),
  ('quiet', 'floor_usd', 0.25), ('balanced', 'floor_usd', 0.05), ('sensitive', 'floor_usd', 0.01),
  ('quiet', 'floor_share', 0.02), ('balanced', 'floor_share', 0.005), ('sensitive', 'floor_share', 0.001);
