-- What the tables of the ledger take on the disk.
select table as of_table, sum(p.rows) as rows, sum(p.bytes_on_disk) as bytes, count() as parts
from system.parts as p
where active and database = currentDatabase() and not startsWith(table, '.')
group by of_table
order by bytes desc, of_table
limit 15
