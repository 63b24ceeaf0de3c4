-- What part of the users' known cost the dearest tenth of the users made. One row; NULL where no call names a user.
select
  count() as users, sum(is_top) as top_users, toFloat64(sumIf(usd, is_top)) as top_usd,
  if(sum(usd) = 0, null, toFloat64(sumIf(usd, is_top)) / toFloat64(sum(usd))) as share, sum(unknown) as unknown_calls
from (
  select usd, unknown, row_number() over (order by usd desc, name) <= ceil(count() over () / 10) as is_top
  from (
    select user as name, sum(a.known_usd) as usd, sum(a.unknown_calls) as unknown
    from actor_costs as a
    where $__timeFilter(bucket) and user != '' and {actor_filters}
    group by name))
