-- Not a statement: the condition that {filters} stands for. The value of a variable that selects all is '*'.
('*' in (${tenant:singlequote}) or if(tenant = '', '(untagged)', tenant) in (${tenant:singlequote}))
  and ('*' in (${team:singlequote}) or if(team = '', '(untagged)', team) in (${team:singlequote}))
  and ('*' in (${feature:singlequote}) or if(feature = '', '(untagged)', feature) in (${feature:singlequote}))
  and ('*' in (${model:singlequote}) or if(model = '', '(untagged)', model) in (${model:singlequote}))
  and ('*' in (${environment:singlequote}) or if(environment = '', '(untagged)', environment) in (${environment:singlequote}))
