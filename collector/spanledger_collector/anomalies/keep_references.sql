-- Keeps what references.sql, which follows, makes.
insert into series_references (
  at, series, dimension, names, days, hour_usd, hour_calls, usd_1h_max, usd_6h_q99, weighed_prices, tokens_6h_q95, tokens_24h_q95, unit_24h_q95, cached, attempts_q95, session_max, repeated, largest_max,
  calls_6h_min, prompt_chars, fingerprints, creep)
