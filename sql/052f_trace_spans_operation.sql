-- What a span does: a request below a tool or an agent is another one than the request above it, and an embedding is no part of a chat.
alter table {db}.trace_spans add column if not exists operation LowCardinality(String) comment 'gen_ai.operation.name: chat, embeddings, execute_tool, invoke_agent, ...; empty: landed before this column';
