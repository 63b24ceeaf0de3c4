-- What regions put on prices.
select provider, region, model, percent, valid_from
from region_uplifts final
order by all
