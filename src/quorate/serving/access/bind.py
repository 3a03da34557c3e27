"""The addresses that the service may listen on.

Without encryption, whoever shares a network with the service or its callers reads the token on its way. On loopback
nobody does; elsewhere the service needs a certificate of its own, or somebody in front who encrypts.
"""

from __future__ import annotations

import socket
import ssl
from ipaddress import ip_address

from quorate.core.errors import AccessError
from quorate.core.sections.access import AccessSettings

_ALL = {"0.0.0.0": "all IPv4 addresses of this machine", "::": "all addresses of this machine"}  # noqa: S104


def bind_addresses(host: str, settings: AccessSettings) -> tuple[str, ...]:
    """The addresses of a host, if the service may listen on all of them.

    The service listens on what this returns and not on the name, which could mean something else a moment later.

    Args:
        host: a name, or an address; also in unusual forms such as 0, which the system reads as 0.0.0.0.
        settings: with a certificate, or with what stands in front.

    Raises:
        AccessError: no such host; one that others can reach, without encryption; or a certificate that cannot be used.
    """
    attempted = f"listen on {host or 'all addresses'}"
    found = _resolve(host, attempted)
    if settings.tls_certificate_file:
        _require_certificate(settings, attempted)
        return found
    exposed = [address for address in found if not _is_loopback(address)]
    if exposed and not (settings.behind_proxy or settings.proxies):
        named = ", ".join(_ALL.get(address, address) for address in exposed)
        raise AccessError(
            attempted,
            found=f"{named}, which others can reach, and no encryption: they could read the token on its way",
            expected="an address of this machine only, such as 127.0.0.1",
            remedy="Set access.tls_certificate_file and access.tls_key_file; or, if a proxy in front encrypts or "
            "nobody else reaches this network, access.behind_proxy = true.",
        )
    return found


def _resolve(host: str, attempted: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise AccessError(
            attempted,
            found=getattr(error, "strerror", None) or str(error),
            expected="an address of this machine, or a name of one",
        ) from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_loopback(address: str) -> bool:
    found = ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def _require_certificate(settings: AccessSettings, attempted: str) -> None:
    """Refuse a certificate or key that does not load, before the server starts."""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file

    def refuse_passphrase() -> str:
        raise AccessError(
            attempted,
            found=f"a private key with a passphrase in {key}",
            expected="one without, readable by its owner only",
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, refuse_passphrase)
    except OSError as error:  # ssl.SSLError is one
        raise AccessError(
            attempted,
            found=f"{error.strerror or error} ({certificate}, {key})",
            expected="a certificate chain in PEM and the private key that belongs to it",
        ) from error
