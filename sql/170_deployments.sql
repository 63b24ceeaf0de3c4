-- One row per service and version, of the program or of a prompt, with the first time it was seen: what may have caused what comes after it.
create table if not exists {db}.deployments (
  service LowCardinality(String) comment 'service.name',
  what LowCardinality(String) comment 'version: service.version; prompt: gen_ai.prompt.name with its version',
  version String comment 'The version',
  first_seen SimpleAggregateFunction(min, DateTime('UTC')) comment 'Start of its first span'
) engine = {engine:AggregatingMergeTree}
order by (service, what, version)
comment 'When each version was seen first; group by its key';
