"""Address of a webhook, in the form that can be sent."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit, urlunsplit

from quorate.core.errors import SettingsError
from quorate.core.redaction import register_webhook

WEBHOOK_VARIABLE = "QUORATE_WEBHOOK"

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
# Characters that keep their meaning in a path or query, and escapes that are there already.
_KEPT = "%/?:@!$&'()*+,;=~-._[]"


class Address(NamedTuple):
    """Where messages are posted.

    Attributes:
        url: in ASCII, without user information; a secret.
        host: the part that may be logged.
        headers: of every request; a secret.
    """

    url: str
    host: str
    headers: dict[str, str]


def url_of(environment: Mapping[str, str] | None = None) -> str | None:
    """The address in the environment variable QUORATE_WEBHOOK, checked; None where it is not set.

    Args:
        environment: variables; those of the process where None.

    Raises:
        SettingsError: an address to which nothing can be sent.
    """
    url = (os.environ if environment is None else environment).get(WEBHOOK_VARIABLE, "").strip()
    if not url:
        return None
    address_of(url)
    return url


def address_of(text: str) -> Address:
    """The address of a text.

    Characters outside ASCII, and spaces, are encoded as a browser does: international hosts by IDNA, path and query in
    UTF-8 with percent signs. `user:password@` becomes an Authorization header.

    Raises:
        SettingsError: no http or https, no host, an impossible host or port, or a control character. The text is a
            secret and not repeated.

    >>> address_of("https://münchen.example/grüße?an=ä b").url
    'https://xn--mnchen-3ya.example/gr%C3%BC%C3%9Fe?an=%C3%A4%20b'
    """
    register_webhook(text.strip())
    try:
        return _encoded(text.strip())
    except ValueError:  # UnicodeError is one too
        raise SettingsError(
            f"use the address in {WEBHOOK_VARIABLE}",
            found="something else",
            expected="http:// or https:// and a host, such as https://hooks.example.com/abc",
        ) from None


def _encoded(text: str) -> Address:
    """The address of a text; raises ValueError for one to which nothing can be sent."""
    parts = urlsplit(text)
    if _CONTROL.search(text) or parts.scheme not in ("http", "https") or parts.port == 0:
        raise ValueError("no address of the web")
    host = _host(parts)
    place = f"[{host}]" if ":" in host else host
    place += "" if parts.port is None else f":{parts.port}"
    path, query = (quote(part, safe=_KEPT, errors="surrogateescape") for part in (parts.path, parts.query))
    headers = {"Content-Type": "application/json", "User-Agent": "quorate"}
    if parts.username is not None:
        names = (unquote_to_bytes(_bytes(part or "")) for part in (parts.username, parts.password))
        headers["Authorization"] = "Basic " + b64encode(b":".join(names)).decode("ascii")
    return Address(urlunsplit((parts.scheme, place, path, query, "")), host, headers)


def _host(parts: SplitResult) -> str:
    """The host in ASCII; raises ValueError for one that cannot be looked up."""
    host = parts.hostname or ""
    if ":" in host and "%" not in host:
        return str(IPv6Address(host))
    known = host.encode("idna").decode("ascii")
    if not _HOST.fullmatch(known):
        raise ValueError("a host of other characters")
    return known


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
