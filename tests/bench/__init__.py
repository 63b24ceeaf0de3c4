"""Benchmarks: `make bench`. They report; no test asserts a time."""
