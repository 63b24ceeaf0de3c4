-- Names of all tables and views of the ledger.
select name as table from system.tables where database = {database:String}
