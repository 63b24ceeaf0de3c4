-- Disk of the ledger that is nearly full: percent that is free.
select name as disk, toFloat64(100 * unreserved_space / total_space) as value
from system.disks
where total_space != 0 and unreserved_space < {disk_free_share} * total_space
