-- Why a log record cannot be booked, as 017s says it: a file of its own, because how long calls are kept can be changed.
alter table {db}.otlp_log_records
  modify column impossible String alias multiIf(
    time_ns < toUInt64(toUnixTimestamp(now() - interval {calls_days} day + interval 1 day)) * 1000000000, 'is of a time before the ledger''s retention',
    time_ns > toUInt64(toUnixTimestamp(now() + interval 1 day)) * 1000000000, 'is of a time more than a day in the future',
    '') comment 'Why the record cannot be booked; empty if it can';
