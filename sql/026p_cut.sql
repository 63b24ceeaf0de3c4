-- Attributes with values of at most a mebibyte: of a longer one, which holds content and never a count or a tag, the beginning.
create or replace function {db}_cut {on_cluster} as attributes -> if(
  arrayExists(value -> length(value) > 1048576, mapValues(attributes)),
  mapApply((name, value) -> (name, if(length(value) > 1048576, concat(substring(value, 1, 1048576), ' (cut)'), value)), attributes),
  attributes);
