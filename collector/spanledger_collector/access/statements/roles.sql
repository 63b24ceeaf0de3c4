-- The roles, before anything names them, and what holds for all who read: never a change, a minute, 4 GB, and a share of the server.
create role if not exists {db}_admin {on_cluster};
create role if not exists {db}_writer {on_cluster};
create role if not exists {db}_reader {on_cluster};
create role if not exists {db}_tenant_reader {on_cluster};
create role if not exists {db}_team_reader {on_cluster};
create settings profile or replace {db}_reading {on_cluster}
settings readonly = 2 const, max_execution_time = 60 max 60, max_memory_usage = 4000000000 max 4000000000, max_result_rows = 1000000 max 1000000
to {db}_reader, {db}_tenant_reader, {db}_team_reader;
create quota or replace {db}_reading {on_cluster} keyed by user_name
for interval 1 hour max queries = 20000, execution_time = 7200
to {db}_reader, {db}_tenant_reader, {db}_team_reader
