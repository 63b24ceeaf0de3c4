-- Service that sent calls before and has been silent for longer than its rhythm explains: minutes of silence.
select service, toFloat64(dateDiff('minute', last_minute, now('UTC'))) as value
from (
  select service, max(minute) as last_minute, max(pause) as pause_max, count() as active_minutes
  from (
    select service, minute, if(minute_before = toDateTime(0, 'UTC'), 0, dateDiff('minute', minute_before, minute)) as pause
    from (
      select
        service, bucket as minute,
        lagInFrame(bucket, 1, toDateTime(0, 'UTC')) over (partition by service order by bucket rows between unbounded preceding and current row) as minute_before
      from cost_minutes final
      where bucket > now('UTC') - interval 2 day and bucket <= now('UTC') and calls != 0
      group by service, bucket))
  group by service)
where active_minutes >= {silent_active_minutes} and value >= {silent_minutes} and value >= {silent_pauses} * pause_max
order by value desc
limit 50
