-- What names as delivered stand for, the owner's first.
select provider_raw, model_raw, provider, model, source
from model_aliases final
order by source != 'user', provider_raw, model_raw
