-- Who reads everything of the ledger: people, Grafana, programs. The errors of refreshed views are read by the view of the pipeline's health.
grant {on_cluster} select, dictGet, show on {db}.* to {db}_reader;
grant {on_cluster} select on system.view_refreshes to {db}_reader;
grant {on_cluster} select on system.columns to {db}_reader
