"""What surrounds every command: output streams, and errors as messages, documents and exit codes."""

__all__: list[str] = []
