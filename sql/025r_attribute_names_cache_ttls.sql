-- For how long a request asked the vendor to keep what it writes to its cache: an answer that passes an emitter loses the split.
insert into {db}.attribute_names (name, field, rank, origin) values
  ('spanledger.cache_write.ttls', 'cache_write_ttls', 1, 'spanledger');
