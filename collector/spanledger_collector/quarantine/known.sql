-- One row per request of these that is kept aside already.
select distinct toString(digest) as known from quarantined_requests where toString(digest) in {digests:Array(String)}
