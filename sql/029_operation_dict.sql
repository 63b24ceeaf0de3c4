-- Standard name and role of an operation, by the value as delivered.
create or replace dictionary {db}.operation_dict (name String, operation String, role String)
primary key name
source(clickhouse({credentials}query 'select name, operation, role from {db}.operations final'))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Operations in all conventions, by value';
