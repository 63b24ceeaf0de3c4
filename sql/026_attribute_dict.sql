-- Field and rank of an attribute, by name.
create or replace dictionary {db}.attribute_dict (name String, field String, rank UInt8)
primary key name
source(clickhouse({credentials}query 'select name, field, rank from {db}.attribute_names final'))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Names of attributes in all conventions, by name';
