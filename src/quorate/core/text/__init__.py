"""Words of messages."""

from quorate.core.text.plural import counted

__all__ = ["counted"]
