-- One row: the reporting time zone, and whether the ledger holds any call.
select (select zone from calendar) as zone, (select count() from (select 1 from genai_calls limit 1)) as any_calls
