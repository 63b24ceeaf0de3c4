-- One row: a request that is kept aside; none: it is not. The body may hold any bytes, hence base64.
select lower(hex(request)) as id, received_at, signal, encoding, coding, tenant, reason, bytes, length(body) as kept_bytes, base64Encode(body) as body_base64
from quarantined_requests
where request = {request:UInt64}
