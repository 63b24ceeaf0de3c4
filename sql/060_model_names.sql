-- One row per spelling of a model that telemetry used: what the price book's resolver has to look at.
create table if not exists {db}.model_names (
  provider_raw LowCardinality(String) comment 'Provider as delivered', model_raw String comment 'Model as delivered'
) engine = {engine:ReplacingMergeTree}
order by (provider_raw, model_raw)
comment 'Models as telemetry spells them';
