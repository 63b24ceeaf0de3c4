-- Two that close a month at one time book it once: the insert carries the month as its token, and of one token the first insert counts. A
-- replicated table keeps tokens by itself.
alter table {db}.bookings modify setting non_replicated_deduplication_window = 1000;
