-- Who reads the rows of one tenant or of one team: the views of calls and costs, no table, no dictionary, no function of prices. The policies stand
-- on the five views that the others read, and these five read their tables as whoever made them: there is nothing below to look at. A condition
-- of a query must not be evaluated before the policy or together with it: an error in it would tell of the rows of others.
create settings profile or replace {db}_confined {on_cluster}
settings query_plan_merge_filters = 0 const, optimize_move_to_prewhere = 0 const, query_plan_optimize_prewhere = 0 const, max_rows_to_read = 0 const, max_bytes_to_read = 0 const
to {db}_tenant_reader, {db}_team_reader;
grant {on_cluster}
  select on {db}.calendar, select on {db}.calls, select on {db}.spans_judged, select on {db}.costs, select on {db}.daily_costs, select on {db}.newest_day, select on {db}.costs_between, select on {db}.costs_in_steps, select on {db}.completeness, select on {db}.unpriced_models,
  select on {db}.untagged_spend, select on {db}.cost_by_day, select on {db}.cost_by_month, select on {db}.cost_by_team, select on {db}.cost_by_feature,
  select on {db}.cost_by_tenant, select on {db}.cost_by_agent, select on {db}.cost_by_task, select on {db}.cost_by_model
to {db}_tenant_reader, {db}_team_reader;
-- Sums by user and session know no team: whoever reads one team's asks `calls` for them.
grant {on_cluster} select on {db}.actor_costs, select on {db}.cost_by_user, select on {db}.cost_by_session to {db}_tenant_reader;
create row policy or replace {db}_all {on_cluster} on {db}.calls, {db}.spans_judged, {db}.costs, {db}.daily_costs, {db}.actor_costs
using 1 to all except {db}_tenant_reader, {db}_team_reader
