-- for each: book = standing, draft
-- Which models a contract has prices for, in the {which} book. Absent, and read as empty: its calls of that model cost what everybody pays.
create or replace dictionary {db}.{draft}contract_dict (agreed String, provider String, model String, contract String)
primary key agreed, provider, model
source(clickhouse({credentials}query 'select distinct contract as agreed, provider, model, contract from {db}.rate_segments where book = ({book}) and contract != \'\''))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Models that a contract has prices for';
