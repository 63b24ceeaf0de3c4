-- One row per request that is kept aside, or of which spans or log records are; newest first.
select lower(hex(number)) as id, at, what, of_signal as signal, of_tenant as tenant, things as count, why as reason
from (
  select request as number, received_at as at, 'request' as what, signal as of_signal, tenant as of_tenant, 1 as things, reason as why
  from quarantined_requests
  union all
  select
    request as number, max(received_at) as at, if(signal = 'logs', 'log records', 'spans') as what, signal as of_signal, any(tenant) as of_tenant,
    count() as things, arrayStringConcat(arraySort(groupUniqArray(3)(toString(reason))), ', ') as why
  from quarantined_spans
  group by request, signal)
order by at desc, id desc
limit {limit:UInt64}
