-- Planned events that were not called off.
select event_id, starts_at, ends_at, dimension, name, note, planned_by from planned_events final where cancelled = 0 order by starts_at, event_id
