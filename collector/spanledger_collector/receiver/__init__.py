"""OTLP in: HTTP and gRPC, committed in groups, acknowledged after the write."""
