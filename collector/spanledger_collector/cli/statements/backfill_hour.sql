-- Reads the spans of one hour of {table} (checked to be a name) as if they landed now; {columns} are those of the table, or what stands in for
-- one that it has not.
insert into spans_again
select {columns}, toUInt8({generation:UInt8}) as Generation
from {table}
where Timestamp >= toDateTime({hour:Int64}, 'UTC') and Timestamp < toDateTime({hour:Int64}, 'UTC') + interval 1 hour
settings max_block_size = 20000, min_insert_block_size_rows = 20000, max_insert_threads = 1, max_partitions_per_insert_block = 0
