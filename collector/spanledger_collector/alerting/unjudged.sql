-- Whether traces wait for the election.
select traces > 0 from election_lag
