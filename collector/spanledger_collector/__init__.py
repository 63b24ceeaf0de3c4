"""The operator side of spanledger: collector, ledger, command line."""
