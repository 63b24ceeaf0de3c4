-- One row per host that tells the provider better than the span does: the OpenAI client talks to many providers and its
-- instrumentation calls them all openai. A host matches itself and its subdomains, with or without a port.
create table if not exists {db}.provider_hosts (
  host String comment 'Host name, or host:port', provider LowCardinality(String) comment 'Provider that answers there', origin LowCardinality(String) comment 'known, or user'
) engine = {engine:ReplacingMergeTree}
order by host
comment 'Providers by the host that answers';
