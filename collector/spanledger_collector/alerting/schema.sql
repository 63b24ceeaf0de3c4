-- What the watcher knows of alerts, in SQLite. One row of `alerts` per alert, from the first time its rule was true until a week after it
-- was resolved; `told` is what each receiver has acknowledged of it. What a receiver has not been told of is the outbox: it is not a list of
-- messages, so an outage of weeks leaves one row per alert, and a process killed between sending and noting it sends again.
create table if not exists alerts (
  id integer primary key,
  key text not null,                 -- rule and labels: one open alert each
  rule text not null,
  labels text not null,              -- JSON
  annotations text not null,         -- JSON, as of the last time it was true
  value real not null,
  first_seen_at real not null,       -- seconds since 1970, as all times here
  seen_at real not null,
  absent integer not null default 0, -- evaluations in a row in which it was not true
  fired_at real,                     -- null: it has not been true for long enough
  resolved_at real,
  notice integer not null default 1, -- how often there was reason to tell of it: once, and each time the number doubled
  noticed_value real not null
);
create unique index if not exists open_alert on alerts (key) where resolved_at is null;
create table if not exists told (
  alert integer not null references alerts (id) on delete cascade,
  receiver text not null,
  notice integer not null,
  resolved integer not null,
  told_at real not null,
  primary key (alert, receiver)
);
create table if not exists receivers (
  receiver text primary key,
  failures integer not null,         -- in a row
  retry_at real not null,
  reason text not null               -- why the last attempt failed; empty: it did not
);
