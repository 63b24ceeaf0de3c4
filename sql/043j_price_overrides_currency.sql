-- A price may be agreed in another currency; it is converted when a book is compiled, at the value of each time.
alter table {db}.price_overrides
  add column if not exists currency LowCardinality(String) default 'USD' comment 'Currency of prices, ISO 4217' after prices;
