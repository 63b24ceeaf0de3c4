-- The token-semantics registry: one row per rule that says what an emitter's counts mean. The first rule (by rank) whose
-- scope, provider and version fit a span is applied, and its name is stored with the row, so that a number can be explained.
create table if not exists {db}.usage_rules (
  rank UInt16 comment 'Order of trying; the last rule fits everything',
  rule LowCardinality(String) comment 'Name of the rule, stored in genai_calls.usage_rule',
  emitter LowCardinality(String) comment 'Who emits such spans, stored in genai_calls.emitter',
  scope String comment 'The instrumentation scope starts with this',
  provider String comment 'The provider contains this; empty: any',
  version_from Array(UInt32) comment 'First scope version, as numbers; empty: any',
  version_before Array(UInt32) comment 'First scope version that no longer fits; empty: any',
  cache_inside UInt8 comment '1: input tokens include cached ones (the convention); 0: they come on top',
  reasoning_inside UInt8 comment '1: output tokens include reasoning (the convention); 0: it comes on top',
  tells_finish UInt8 comment '1: a completed stream always carries a finish reason, so one without was cut and its counts are partial',
  invents_usage UInt8 comment '1: counts of streams are the emitter''s guess and not the provider''s',
  note String comment 'How this is known'
) engine = {engine:ReplacingMergeTree}
order by (rank, rule)
comment 'What the token counts of each emitter mean';
