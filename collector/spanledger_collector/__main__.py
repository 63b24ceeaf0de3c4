"""The `spanledger` command: a light entry that says what to install when the operator side is missing."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; without the extra `collector`, say how to get it."""
    try:
        from spanledger_collector.cli import run  # noqa: PLC0415 - what it imports is an extra
    except ImportError as error:
        if (error.name or "").startswith("spanledger"):
            raise
        sys.stderr.write(
            f"The spanledger command needs {error.name}, which is not installed: pip install 'spanledger[collector]'\n"
        )
        sys.exit(1)
    except KeyboardInterrupt:  # Ctrl-C while it imports, which takes a second
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
