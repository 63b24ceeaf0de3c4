-- Marks those minutes as changed now.
insert into dirty_minutes (minute, marked_at)
select toDateTime(arrayJoin({minutes:Array(UInt32)}), 'UTC'), toDateTime64({at:String}, 3, 'UTC')
