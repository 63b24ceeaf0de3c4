-- for each: book = standing, draft
-- The price context with the kind of region behind it where the model costs more there, in the {which} book.
create or replace function {db}_{draft}regional_of {on_cluster} as (context, provider, model, region) ->
  trim(both ',' from concat(context, ',', dictGet('{db}.{draft}region_dict', 'context',
    (provider, model, multiIf(region in ('', 'global'), '', region in ('us', 'eu'), region, 'regional')))));
