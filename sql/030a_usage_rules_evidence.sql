-- What else a rule needs to know of an emitter: some say more of a call than its counts alone.
alter table {db}.usage_rules
  add column if not exists model String default '' comment 'The model contains this; empty: any' after provider,
  add column if not exists total_decides UInt8 default 0 comment '1: its total of tokens is the provider''s own, so that input + output = total proves that cached tokens are inside the input',
  add column if not exists streams_twice UInt8 default 0 comment '1: it tells of a stream twice, at its start without counts and at its end with them; the first is no call of its own',
  modify column tells_finish comment '1: a completed stream always carries a finish reason, so one without was cut and its counts are partial; 2: every completed call does';
