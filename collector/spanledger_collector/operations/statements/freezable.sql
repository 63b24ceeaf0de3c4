-- Tables of the ledger that hold data.
select name as table from system.tables where database = currentDatabase() and engine like '%MergeTree' order by name
