"""Making the service's token: at its first start, and again when asked."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.errors import AccessError
from quorate.core.sections.access import AccessSettings
from quorate.serving.access.access_log import AccessLog
from quorate.serving.access.token import TokenStore, read_stored, read_token

# Caller's address in the records of what is done on the machine itself.
_LOCAL = "local"


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """What is known of the service's token.

    Attributes:
        exists: whether there is one.
        file: that holds its hash, or the token where it is one of your own.
        made: when, ISO 8601; None for one of your own, or none.
    """

    exists: bool
    file: Path
    made: str | None

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate token --json`."""
        return {"exists": self.exists, "file": str(self.file), "made": self.made}

    def line(self) -> str:
        """One line for a person."""
        if not self.exists:
            return (
                f"no token in {self.file}; the service's first start on a terminal makes one, or: quorate token --new"
            )
        if self.made is None:
            return f"a token of your own, in {self.file}"
        return f"made {self.made}; its hash is in {self.file}. Lost? quorate token --new"


def token_status(settings: AccessSettings) -> TokenStatus:
    """What is known of the service's token, which nobody can read back.

    Raises:
        AccessError: its file cannot be used.
    """
    if settings.bearer_file:
        read_token(Path(settings.bearer_file))
        return TokenStatus(True, Path(settings.bearer_file), None)
    path = TokenStore(Path(settings.state)).path
    if not path.exists():
        return TokenStatus(False, path, None)
    return TokenStatus(True, path, read_stored(path).made)


def first_token(settings: AccessSettings, who: str | None = None) -> str | None:
    """Make the token of a service that has none.

    Args:
        settings: the section `access`.
        who: starts the service; None for the user of this process.

    Returns:
        The token, to be shown once; None if there is one already, or a file holds one of your own.

    Raises:
        DataError: the state folder cannot be written.
    """
    if settings.bearer_file:
        return None
    token = TokenStore(Path(settings.state)).create()
    if token is not None:
        _log(settings).write("first token", who=who or _user(), address=_LOCAL)
    return token


def new_token(settings: AccessSettings, who: str | None = None) -> str:
    """Make a new token. The one before ends at once, and so does every login; the service need not be restarted.

    Args:
        settings: the section `access`.
        who: asks for it; None for the user of this process.

    Returns:
        The token, to be shown once.

    Raises:
        AccessError: the token is one of your own, which a file holds.
        DataError: the state folder cannot be written.
    """
    if settings.bearer_file:
        raise AccessError(
            "make a new token",
            found=f"a token of your own in {settings.bearer_file}",
            expected="the service's own",
            remedy="Write another token into that file; the service reads it again.",
        )
    _log(settings).write("new token", who=who or _user(), address=_LOCAL)
    return TokenStore(Path(settings.state)).rotate()


def _user() -> str:
    """The user of this process, by what the system knows and not by variables."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        return f"uid {os.getuid()}"


def _log(settings: AccessSettings) -> AccessLog:
    return AccessLog(Path(settings.state), most_bytes=settings.log_bytes, files=settings.log_files)
