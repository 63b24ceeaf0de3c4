-- One row per beginning of a scope that a rule names: the rules that may read the counts of a span whose scope has no longer one, in the order
-- of trying, up to the first that asks for nothing but the scope. Every other beginning that fits is a beginning of that one.
create or replace dictionary {db}.usage_rule_dict (
  scope String,
  rules Array(Tuple(
    rank UInt16, rule String, emitter String, provider String, model String, version_from Array(UInt32), version_before Array(UInt32), cache_inside UInt8,
    reasoning_inside UInt8, tells_finish UInt8, invents_usage UInt8, total_decides UInt8, streams_twice UInt8)))
primary key scope
source(clickhouse({credentials}query 'select scope, if(last = 0, fitting, arraySlice(fitting, 1, last)) as rules from (
  select
    s.scope as scope,
    arraySort(groupArray((rank, rule, emitter, provider, model, version_from, version_before, cache_inside, reasoning_inside, tells_finish, invents_usage, total_decides, streams_twice))) as fitting,
    arrayFirstIndex(r -> empty(r.4) and empty(r.5) and empty(r.6) and empty(r.7), fitting) as last
  from (select distinct scope from {db}.usage_rules final) as s
  cross join (select * from {db}.usage_rules final) as r
  where startsWith(s.scope, r.scope)
  group by s.scope)'))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Usage rules by the beginning of the scope';
