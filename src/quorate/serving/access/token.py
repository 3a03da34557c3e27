"""Bearer tokens: made at random, kept as hashes.

STATE/token.json    version, SHA-256 of the token and when it was made; mode 0600

A token has 256 random bits, which nobody guesses at any speed, so that plain SHA-256 protects it. Slow hashes (scrypt,
Argon2) are for passwords, which have few bits; here they would only make each request dear, those of an attacker
included. There is no salt either: no two tokens are alike, and no table holds a share of 2^256 hashes.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from quorate.core.clock import iso_ms, now_ms
from quorate.core.errors import AccessError
from quorate.core.files import write_atomic
from quorate.core.redaction import register_secret
from quorate.core.regular_files import read_regular
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.serving.access.state_folder import state_lock

#: Name of the file in the state folder.
FILE_NAME = "token.json"

#: What the service's own tokens begin with, so that scanners for leaked secrets find them.
PREFIX = "quorate_"

#: What the header `Authorization: Bearer` can hold (RFC 6750, section 2.1), and is long enough to be random.
TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{32,512}")

# Fewest different characters of a token of one's own: "aaaa..." is none.
_LEAST_LETTERS = 10

_VERSION = 1
_MOST_BYTES = 4_096

_log = logging.getLogger("quorate.serving.access")


class TokenStore:
    """The hash of the service's own token in its state folder.

    Args:
        folder: created if missing, for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME

    def create(self) -> str | None:
        """Make a token if there is none; of two processes that start at once, one makes it.

        Returns:
            The token, which is stored nowhere; None if there was one before.

        Raises:
            DataError: the folder cannot be written.
        """
        with state_lock(self.folder):
            return None if self.path.exists() else self._write()

    def rotate(self) -> str:
        """Make a new token in place of the one before, which ends at once, with every login that it opened.

        Raises:
            DataError: the folder cannot be written.
        """
        with state_lock(self.folder):
            if self.path.exists():
                self.path.chmod(0o600)  # a file that is replaced keeps its mode
            return self._write()

    def _write(self) -> str:
        token = PREFIX + secrets.token_urlsafe(32)
        document = {"version": _VERSION, "sha256": digest_of(token).hex(), "made": iso_ms(now_ms())}

        def write(temporary: Path) -> None:
            temporary.chmod(0o600)  # before there is anything in it
            temporary.write_text(json.dumps(document) + "\n", encoding="utf-8")

        write_atomic(self.path, write)
        return token


class TokenCheck:
    """Comparison of tokens with the one of a file. The file is read again when it changes: a rotation needs no restart.

    While the file is missing or cannot be used, no token is right; the reason is logged once.

    Args:
        path: of the file.
        read: its SHA-256 digest; raises AccessError.
    """

    def __init__(self, path: Path, read: Callable[[Path], bytes]) -> None:
        self.path = path
        self._read = read
        self._seen: tuple[int, int, int] | None = None
        self._digest: bytes | None = None
        self._registered: bytes | None = None

    def digest(self) -> bytes | None:
        """SHA-256 of the right token; None if there is none."""
        try:
            found = self.path.stat()
        except OSError:
            seen = None
        else:
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            self._seen, self._digest = seen, None
            if seen is not None:
                try:
                    self._digest = self._read(self.path)
                except AccessError as error:
                    _log.error("%s", error)
        return self._digest

    def is_right(self, token: str) -> bool:
        """Whether this is the token. The comparison takes the same time wherever they differ."""
        right = self.digest()
        if right is None or not hmac.compare_digest(digest_of(token), right):
            return False
        if right != self._registered:
            # From now on this process knows the token, so that it could reach a log or a message.
            register_secret(token)
            self._registered = right
        return True


def digest_of(token: str) -> bytes:
    """SHA-256 of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class StoredToken:
    """What a `TokenStore` keeps of a token.

    Attributes:
        digest: its SHA-256.
        made: when, ISO 8601.
    """

    digest: bytes
    made: str


def read_hash(path: Path) -> bytes:
    """The digest that a `TokenStore` wrote; errors as `read_stored`."""
    return read_stored(path).digest


def read_stored(path: Path) -> StoredToken:
    """What a `TokenStore` wrote.

    Raises:
        AccessError: a file that others can read or write, is damaged or cannot be read.
    """
    attempted = f"read the hash of the service's token from {path}"
    remedy = "Make a new one: quorate token --new."
    try:
        mode = path.stat().st_mode
        content = read_regular(path, _MOST_BYTES)
    except OSError as error:
        raise AccessError(attempted, found=error.strerror or str(error), expected="a readable file") from error
    if mode & 0o077:
        raise AccessError(
            attempted,
            found=f"the mode {mode & 0o777:03o}",
            expected="a file that only its owner can read and write",
            remedy=f"Run: chmod 600 {path}.",
        )
    try:
        document = parse_json(content)
        found = StoredToken(bytes.fromhex(document["sha256"]), str(document["made"]))
        version = document["version"]
    except MISSHAPEN as error:
        raise AccessError(attempted, found="a damaged file", expected="what Quorate wrote", remedy=remedy) from error
    if version != _VERSION or len(found.digest) != sha256().digest_size:
        raise AccessError(attempted, found="a file of another version", expected=f"version {_VERSION}", remedy=remedy)
    return found


def read_token(path: Path) -> bytes:
    """The digest of a token of one's own, which a file holds in plain.

    Raises:
        AccessError: a file that cannot be read, or what it holds is too short or not random. No error has any of it.
    """
    attempted = f"read the service's token from {path}"
    expected = "one line of at least 32 random characters, such as `openssl rand -hex 32` prints"
    try:
        content = read_regular(path, _MOST_BYTES)
    except OSError as error:
        raise AccessError(attempted, found=error.strerror or str(error), expected=expected) from error
    token = content.decode("latin-1").strip()
    if not TOKEN.fullmatch(token) or len(set(token)) < _LEAST_LETTERS:
        raise AccessError(
            attempted,
            found=f"{len(token)} characters, {len(set(token))} of them different, that make no token",
            expected=expected,
        )
    register_secret(token)
    return digest_of(token)
