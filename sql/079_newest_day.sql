-- One row: the newest day that was made. The engine knows it without reading rows; costs_between asks for it each time.
create or replace view {db}.newest_day (
  bucket DateTime('UTC') comment 'Start of that day, in the reporting time zone; 1970: no day was made yet'
) {as_its_maker}as
select max(bucket) as bucket from {db}.cost_days
comment 'The newest day that was made';
