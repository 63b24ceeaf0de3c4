-- Tables of the ledger whose rows name a tenant: what is filtered for a reader that sees one tenant.
select table from system.columns
where database = {database:String} and name = 'tenant'
  and table in (select name from system.tables where database = {database:String} and engine like '%MergeTree')
order by table
