-- Not a statement: the condition that {anomaly_filters} stands for. An incident that is not narrowed to one value of a tag concerns all of
-- them. Incidents know no environment.
('*' in (${tenant:singlequote}) or tenant in ('', ${tenant:singlequote}))
  and ('*' in (${team:singlequote}) or team in ('', ${team:singlequote}))
  and ('*' in (${feature:singlequote}) or feature in ('', ${feature:singlequote}))
  and ('*' in (${model:singlequote}) or model in ('', ${model:singlequote}))
