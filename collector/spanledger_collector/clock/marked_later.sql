-- Minutes whose marks are of a time that has not come.
select toUnixTimestamp(minute) from dirty_minutes where marked_at > toDateTime64({at:String}, 3, 'UTC') group by minute
