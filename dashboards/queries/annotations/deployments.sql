-- Versions of programs and prompts that followed another one of the same service.
select first_at as time, concat(service, ': ', what, ' ', version) as text, 'deployment' as tags
from (
  select *, row_number() over (partition by service, what order by first_at) as nth
  from (select service, what, version, min(first_seen) as first_at from deployments group by service, what, version))
where nth > 1 and $__timeFilter(first_at)
order by time desc
limit 50
