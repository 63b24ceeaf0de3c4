-- for each: book = standing, draft
-- Which models cost more in which kind of region, in the {which} book. Absent, and read as empty: the model costs the same everywhere.
create or replace dictionary {db}.{draft}region_dict (provider String, model String, region String, context String)
primary key provider, model, region
source(clickhouse({credentials}query 'select distinct provider, model, substring(of_region, 8) as region, of_region as context from (select provider, model, extract(context, \'(?:^|,)(region=.*)$\') as of_region from {db}.rate_segments where book = ({book})) where of_region != \'\''))
layout(complex_key_hashed())
lifetime({lifetime})
comment 'Models that cost more in some regions';
