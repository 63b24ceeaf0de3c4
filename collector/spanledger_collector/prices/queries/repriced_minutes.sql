-- Notes the minutes with calls that the draft prices otherwise, under its number; reads what `repriced` reads.
insert into repriced_minutes (book, minute)
select distinct {book:UInt32} as book, toStartOfMinute(ts) as minute
from repriced_calls
{concerned}
settings do_not_merge_across_partitions_select_final = 1
