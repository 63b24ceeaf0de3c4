-- What the Collector's clickhouse exporter needs: rows of the landing tables, and what columns they have.
grant {on_cluster} insert, show columns on {db}.otel_traces to {db}_writer;
grant {on_cluster} insert, show columns on {db}.otel_logs to {db}_writer
