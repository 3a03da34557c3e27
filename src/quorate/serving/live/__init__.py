"""A paper account as it goes on: events, the account's newest figures, and a session inside the process."""

__all__: list[str] = []
