-- A price is of tokens weighed by kind, so that an hour of longer answers is no dearer model. Under a new name: what is kept of tokens is not
-- compared with it. The old column stays, so that a collector of the version before can still write.
alter table {db}.series_references
  add column if not exists weighed_prices Array(Float64) comment 'USD a weighed token in an hour, 6 hours, 24 hours, 90th percentile; 0: too few calls' after usd_6h_q99,
  comment column prices 'No longer made: USD a token, not weighed';
