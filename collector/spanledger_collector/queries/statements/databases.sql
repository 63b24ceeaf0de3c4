-- Names of all databases of the engine.
select name as database from system.databases
