"""Access to the service: tokens, logins, checks of every request, and the log of what changed."""

from quorate.serving.access.access import Access
from quorate.serving.access.access_control import middleware
from quorate.serving.access.bind import bind_addresses
from quorate.serving.access.caller import Caller, caller_of
from quorate.serving.access.issue import first_token, new_token, token_status
from quorate.serving.access.login import login_routes
from quorate.serving.access.security_headers import SecurityHeaders

__all__ = [
    "Access",
    "Caller",
    "SecurityHeaders",
    "bind_addresses",
    "caller_of",
    "first_token",
    "login_routes",
    "middleware",
    "new_token",
    "token_status",
]
