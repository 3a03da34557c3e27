"""Settings of access to the service: its token, its addresses and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class AccessSettings(Section):
    """Who may use the service, from where, and what it writes about it.

    Tokens are no settings: the service makes its own, or reads those that files hold.
    """

    state: str = "service"  # folder of the token's hash and of the access log
    bearer_file: str = ""  # file with a token of your own, as of a container's secrets; else the service makes one
    monitor_file: str = ""  # file with a second token, which may read /metrics and /health/ready only
    hosts: tuple[str, ...] = ()  # names of the service in addresses, beside localhost and the address it listens on
    proxies: tuple[str, ...] = ()  # addresses or networks of proxies whose X-Forwarded-For and -Proto are trusted
    behind_proxy: bool = False  # what stands in front encrypts, or nobody else reaches the network
    tls_certificate_file: str = ""  # certificate chain in PEM; the service then speaks HTTPS
    tls_key_file: str = ""  # its private key in PEM, without a passphrase
    session_hours: float = 24.0  # from a login to its end
    sessions: int = 64  # concurrent logins; beyond it the oldest ends
    attempts: int = 10  # wrong tokens of one address in a window; for IPv6 of one network of 64 bits
    attempts_total: int = 200  # wrong tokens of all addresses in a window
    attempts_window_s: int = 300  # from the first wrong token
    log_bytes: int = 10_000_000  # of one file of the access log
    log_files: int = 5  # of the access log that are kept, the current one included

    def __post_init__(self) -> None:
        for name in ("hosts", "proxies"):
            object.__setattr__(self, name, _texts(name, getattr(self, name)))
        for proxy in self.proxies:
            _require_network(proxy)
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise SettingsError(
                "use the settings access.tls_certificate_file and access.tls_key_file",
                found="one of them",
                expected="both or none",
            )
        require("access", "session_hours", self.session_hours, 0.01, 8_760)
        require("access", "sessions", self.sessions, 1, 10_000)
        require("access", "attempts", self.attempts, 1, 1_000)
        require("access", "attempts_total", self.attempts_total, 1, 100_000)
        require("access", "attempts_window_s", self.attempts_window_s, 1, 86_400)
        require("access", "log_bytes", self.log_bytes, 10_000, 1e9)
        require("access", "log_files", self.log_files, 1, 1_000)


def _texts(name: str, values: Any) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) and value for value in values):
        raise SettingsError(f"use the setting access.{name}", found=repr(values), expected="a list of texts")
    return tuple(values)


def _require_network(proxy: str) -> None:
    try:
        network = ip_network(proxy)
    except ValueError as error:
        raise SettingsError(
            "use the setting access.proxies", found=repr(proxy), expected="an address or a network, such as 10.0.0.0/24"
        ) from error
    if network.prefixlen == 0:
        # Everybody could then say to be anybody, and attempts would not be limited.
        raise SettingsError(
            "use the setting access.proxies", found=repr(proxy), expected="the proxies' own addresses, not all of them"
        )
