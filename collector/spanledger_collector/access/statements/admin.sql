-- Whoever runs `spanledger migrate` and the commands that change a ledger: all of this database, and what belongs to the server besides.
grant {on_cluster} all on {db}.* to {db}_admin;
grant {on_cluster} create function, drop function, system reload dictionary, system views on *.* to {db}_admin;
grant {on_cluster} set definer on * to {db}_admin;
grant {on_cluster} table engine on * to {db}_admin;
grant {on_cluster} select on system.* to {db}_admin
