-- The row that says that ten minutes were made says, too, how many calls they lack, because those were not judged yet.
alter table {db}.spend_buckets
  comment column calls 'Billed calls; in the row without a part: those that wait for their first verdict, and are in no row yet';
