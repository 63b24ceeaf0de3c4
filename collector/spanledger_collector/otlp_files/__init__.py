"""Reads OTLP out of files of any source: protobuf and JSON, framed and not, compressed and not."""

from spanledger_collector.otlp_files.read import read_requests

__all__ = ["read_requests"]
