-- Names, lower case, of functions that reach beyond the ledger: every table function, and the categories that call out or look inside.
select lower(name) as function, 'table' as kind from system.table_functions
union all
select lower(name) as function, 'scalar' as kind from system.functions
where categories in ('AI', 'Introspection', 'Internal') or alias_to in (select name from system.functions where categories = 'AI')
