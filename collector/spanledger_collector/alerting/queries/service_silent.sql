-- Service that sent calls before and has been silent for longer than its rhythm explains: minutes of silence.
select service, toFloat64(dateDiff('minute', last_minute, now('UTC'))) as value
from (
  select service, max(minute) as last_minute, max(pause) as pause_max, count() as active_minutes
  from (
    select service, minute, if(minute_before = toDateTime(0, 'UTC'), 0, dateDiff('minute', minute_before, minute)) as pause
    from (
      select
        service, toStartOfMinute(ts) as minute,
        lagInFrame(toStartOfMinute(ts), 1, toDateTime(0, 'UTC')) over (partition by service order by toStartOfMinute(ts) rows between unbounded preceding and current row) as minute_before
      from calls
      where ts > now('UTC') - interval 2 day and ts <= now('UTC')
      group by service, minute))
  group by service)
where active_minutes >= {silent_active_minutes} and value >= {silent_minutes} and value >= {silent_pauses} * pause_max
order by value desc
limit 50
