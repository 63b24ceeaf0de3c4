-- Notes every spelling of a model.
create or replace materialized view {db}.model_names_mv to {db}.model_names {as_its_maker}as
select distinct provider_raw, model_raw from {db}.genai_spans where model_raw != '';
