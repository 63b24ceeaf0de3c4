select name, field, 'own' as origin, 0 as rank from own_attribute_names final where field != ''
union all
select name, field, origin, rank from attribute_names final
where name not in (select name from own_attribute_names final where field != '') and field not in ('json', 'scoped', 'event')
order by field, rank, name
