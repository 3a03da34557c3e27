"""Checks of the headers Host, Origin and Sec-Fetch-Site.

A page of another site can make a browser send requests here. Under a name of its own that it points at this machine
(DNS rebinding) it could read the answers too: the browser then names that host, which is not allowed. Under a right
name its requests are of another origin, which the browser says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?")
_PORTS = {"http": 80, "https": 443}

#: Never another machine: no name server is asked for it, and browsers know it by themselves.
_LOCALHOST = "localhost"


class Hosts:
    """The names under which the service may be addressed.

    Args:
        names: names or addresses beside localhost and the address at which a request arrives.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._allowed = frozenset({_LOCALHOST, *(_plain(name) for name in names)})

    def allows(self, host: str, arrived_at: str) -> bool:
        """Whether a request names an allowed host.

        Args:
            host: the header.
            arrived_at: address of the service's end of the connection.
        """
        found = parse_host(host)
        return found is not None and (found[0] in self._allowed or found[0] == _plain(arrived_at))


def parse_host(text: str) -> tuple[str, int | None] | None:
    """Name or address, and port, of a header Host; None if it is none.

    >>> parse_host("Example.org:8765"), parse_host("[::1]"), parse_host("a@b"), parse_host("::1")
    (('example.org', 8765), ('::1', None), None, None)
    """
    host, port = text, None
    if match := re.fullmatch(r"(.*):([0-9]{1,5})", text, re.DOTALL):
        host, port = match[1], int(match[2])
        if port > 65_535:
            return None
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(_unmapped(IPv6Address(host[1:-1]))), port
        except ValueError:
            return None
    return (_plain(host), port) if _NAME.fullmatch(host) else None


def is_same_origin(origin: str, scheme: str, host: str) -> bool:
    """Whether the header Origin names the service as the request addresses it.

    Args:
        origin: the header.
        scheme: http or https.
        host: the header Host.

    >>> is_same_origin("http://localhost:8765", "http", "localhost:8765")
    True
    >>> is_same_origin("null", "http", "localhost:8765"), is_same_origin("http://localhost", "http", "localhost:8765")
    (False, False)
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme != scheme or parts.path or parts.query or parts.fragment:
        return False
    there, here = parse_host(parts.netloc), parse_host(host)
    if there is None or here is None or there[0] != here[0]:
        return False
    default = _PORTS.get(scheme)
    return (there[1] or default) == (here[1] or default)


def _plain(name: str) -> str:
    """A name in small letters without its last dot; an address in its usual form."""
    name = name.removeprefix("[").removesuffix("]")
    try:
        return str(_unmapped(ip_address(name)))
    except ValueError:
        return name.lower().removesuffix(".")


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, as sockets of both families report it."""
    return getattr(address, "ipv4_mapped", None) or address
