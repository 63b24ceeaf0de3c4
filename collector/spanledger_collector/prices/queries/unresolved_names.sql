-- Names of models seen in telemetry that nobody resolved against this price list, or that it does not know but the owner has set a
-- price for; with what they are resolved to now. What a user said stands. Asked after every commit, so it must stay cheap.
select n.provider_raw as provider_raw, n.model_raw as model_raw, a.source_version as source_version, a.provider as provider, a.model as model
from (select distinct provider_raw, model_raw from model_names) as n
left join (select provider_raw, model_raw, provider, model, source, source_version from model_aliases final) as a
  on a.provider_raw = n.provider_raw and a.model_raw = n.model_raw
where a.source != 'user'
  and (a.source_version != {version:String} or (a.model = '' and n.model_raw in (select model from price_overrides)))
order by provider_raw, model_raw
