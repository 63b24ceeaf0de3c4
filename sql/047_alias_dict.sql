-- What the price book calls a model, by what telemetry calls it. Absent: nobody has looked yet, the raw names stand.
create or replace dictionary {db}.alias_dict (provider_raw String, model_raw String, provider String, model String)
primary key provider_raw, model_raw
source(clickhouse({credentials}query 'select provider_raw, model_raw, provider, model from {db}.model_aliases final'))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Names of models in the price book';
