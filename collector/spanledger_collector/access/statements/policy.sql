-- The rows that one user sees.
create row policy or replace {policy} {on_cluster} on {views} using {condition} to {user}
