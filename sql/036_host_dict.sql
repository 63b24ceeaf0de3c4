-- Provider by host.
create or replace dictionary {db}.host_dict (host String, provider String)
primary key host
source(clickhouse({credentials}query 'select host, provider from {db}.provider_hosts final'))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Providers by the host that answers';
