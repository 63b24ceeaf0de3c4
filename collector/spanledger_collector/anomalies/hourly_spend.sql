-- Mean USD an hour of the last 30 days, or since the first call.
select toFloat64(sum(known_usd)) / greatest(1, dateDiff('hour', min(bucket), toDateTime({now:UInt32}, 'UTC'))) as usd
from costs where bucket >= toDateTime({now:UInt32}, 'UTC') - interval 30 day and bucket < toDateTime({now:UInt32}, 'UTC')
