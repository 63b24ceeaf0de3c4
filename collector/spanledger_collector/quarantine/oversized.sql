-- One row per table of the quarantine that takes more than so many bytes on disk.
select table, sum(bytes_on_disk) as bytes
from system.parts
where database = currentDatabase() and table in ('quarantined_requests', 'quarantined_spans') and active
group by table
having bytes > {bytes_max:UInt64}
