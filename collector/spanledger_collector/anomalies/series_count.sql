-- About how many series made calls in the nine days before.
select uniq(series) as n from series_buckets where bucket >= toDateTime({until:UInt32}, 'UTC') - interval 9 day
