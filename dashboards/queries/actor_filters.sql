-- Not a statement: the condition that {actor_filters} stands for. The rollup of users and sessions knows tenants only, so that no other
-- filter can be kept: with one there is nothing to show, rather than a number that ignores it.
('*' in (${tenant:singlequote}) or if(tenant = '', '(untagged)', tenant) in (${tenant:singlequote}))
  and '*' in (${team:singlequote}) and '*' in (${feature:singlequote}) and '*' in (${model:singlequote}) and '*' in (${environment:singlequote})
