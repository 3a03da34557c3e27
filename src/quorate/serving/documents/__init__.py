"""Types of the service's answers, with the keys of the command line's `--json`."""

__all__: list[str] = []
