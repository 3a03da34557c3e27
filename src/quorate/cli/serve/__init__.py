"""`quorate serve`: the HTTP service and its demo; and `quorate token`, the token of its access."""

from quorate.cli.serve.command import serve
from quorate.cli.serve.service_token import token

__all__ = ["serve", "token"]
