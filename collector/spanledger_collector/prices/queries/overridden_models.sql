-- Models that only the owner's overrides name.
select distinct provider, model from price_overrides
