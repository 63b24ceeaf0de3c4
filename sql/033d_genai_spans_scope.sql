-- Which instrumentation made the span, and which reading of it this is: two spans of one instrumentation are never one call.
alter table {db}.genai_spans
  add column if not exists scope LowCardinality(String) comment 'Name of the instrumentation scope',
  add column if not exists generation UInt8 comment 'Number of the reading; 0: as landed';
