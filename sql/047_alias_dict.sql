-- for each: book = standing, draft
-- What the {which} price book calls a model, by what telemetry calls it. Absent: nobody has looked yet, the raw names stand.
create or replace dictionary {db}.{draft}alias_dict (provider_raw String, model_raw String, provider String, model String)
primary key provider_raw, model_raw
source(clickhouse({credentials}query 'select provider_raw, model_raw, argMax(a.provider, a.rank) as provider, argMax(a.model, a.rank) as model from ({aliases}) as a group by provider_raw, model_raw'))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Names of models in the {which} price book';
