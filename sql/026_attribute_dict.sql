-- Field and rank of an attribute, by name. The owner's own names beat all others.
create or replace dictionary {db}.attribute_dict (name String, field String, rank UInt8)
primary key name
source(clickhouse({credentials}query 'select name, field, rank from {db}.attribute_names final where name not in (select name from {db}.own_attribute_names final where field != \'\') union all select name, field, toUInt8(0) as rank from {db}.own_attribute_names final where field != \'\''))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Names of attributes in all conventions, by name';
