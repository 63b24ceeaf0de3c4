-- Those of the hours for which nothing says yet what is normal.
select arrayJoin({hours:Array(UInt32)}) as hour where hour not in (select toUInt32(toUnixTimestamp(at)) from series_references)
