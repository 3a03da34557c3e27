"""Access to the service: tokens, logins, checks of every request, and the log of what changed."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

# Imported when a name is first used: the command that makes a token needs no web framework.
if TYPE_CHECKING:
    from quorate.serving.access.access import Access as Access
    from quorate.serving.access.access_control import middleware as middleware
    from quorate.serving.access.bind import bind_addresses as bind_addresses
    from quorate.serving.access.caller import Caller as Caller
    from quorate.serving.access.caller import caller_of as caller_of
    from quorate.serving.access.issue import first_token as first_token
    from quorate.serving.access.issue import new_token as new_token
    from quorate.serving.access.issue import token_status as token_status
    from quorate.serving.access.login import login_routes as login_routes
    from quorate.serving.access.security_headers import SecurityHeaders as SecurityHeaders
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "access": "Access",
            "access_control": "middleware",
            "bind": "bind_addresses",
            "caller": "Caller caller_of",
            "issue": "first_token new_token token_status",
            "login": "login_routes",
            "security_headers": "SecurityHeaders",
        },
    )
