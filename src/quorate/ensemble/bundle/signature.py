"""Signatures of bundles, by Ed25519 (RFC 8032).

<out>/<id>/signatures.txt    a line for each signer: public key and signature of manifest.json, both in base64

The manifest holds the SHA-256 of every other file of the bundle, so that its signature covers all of them. Keys are
made with OpenSSL:

    openssl genpkey -algorithm ed25519 -out private.pem
    openssl pkey -in private.pem -pubout -out public.pem
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quorate.core.errors import BundleError, DataError, MissingExtraError
from quorate.core.files import write_text_atomic
from quorate.core.regular_files import read_regular
from quorate.core.sections.bundle import BundleSettings
from quorate.ensemble.bundle.manifest import FILE_NAME as MANIFEST

FILE_NAME = "signatures.txt"

# What is signed begins with this, so that a signature of another document is none of a bundle.
_CONTEXT = b"quorate bundle manifest 1\n"

_MOST_BYTES = 64 * 1024
_OPENSSL = "Make one: openssl genpkey -algorithm ed25519 -out private.pem"


def sign_bundle(path: Path, key: Path) -> str:
    """Sign a bundle; an earlier signature by the same key is replaced.

    Args:
        path: folder of the bundle, which was verified.
        key: private key, an unencrypted PEM file that only its owner can read.

    Returns:
        The public key in base64.

    Raises:
        BundleError: the key or the manifest cannot be read, or the signature cannot be written.
        MissingExtraError: cryptography is not installed.
    """
    attempted = f"sign the bundle {path}"
    private = _private_key(key, attempted)
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    content = _read(path / MANIFEST, attempted)
    signature = base64.b64encode(private.sign(_CONTEXT + content)).decode()
    lines = {one: text for one, text in _signatures(path, attempted).items() if one != public}
    lines[public] = signature
    try:
        write_text_atomic(path / FILE_NAME, "".join(f"{one} {text}\n" for one, text in lines.items()))
    except DataError as error:
        raise BundleError(attempted, found=error.found, expected=error.expected, remedy=error.remedy) from error
    return public


def require_trusted(path: Path, manifest: bytes, trusted: Sequence[str], attempted: str) -> None:
    """Require a valid signature of a manifest by a trusted key; nothing is required without trusted keys.

    Args:
        path: folder of the bundle.
        manifest: content of manifest.json, as it is used.
        trusted: public keys, as PEM files or in base64.
        attempted: what was attempted, for the error.

    Raises:
        BundleError: not signed, signed by other keys only, or a signature of other content; or a trusted key that
            cannot be read.
        MissingExtraError: cryptography is not installed.
    """
    if not trusted:
        return
    keys = {_public_key(key, attempted) for key in trusted}
    signatures = _signatures(path, attempted)
    expected = "a signature by a key of the setting bundle.trusted_keys, or the key that was given"
    remedy = "Sign it, if it is yours: quorate bundle sign BUNDLE --key private.pem."
    if not signatures:
        raise BundleError(attempted, found="no signature", expected=expected, remedy=remedy)
    known = [key for key in signatures if key in keys]
    if not known:
        raise BundleError(
            attempted, found=f"signatures by {', '.join(signatures)} only", expected=expected, remedy=remedy
        )
    if not any(_is_valid(key, signatures[key], manifest, attempted) for key in known):
        raise BundleError(
            attempted,
            found=f"a signature by {known[0]} that does not fit the manifest",
            expected="the manifest as it was signed",
            remedy="Restore the bundle from a copy.",
        )


def _is_valid(key: str, signature: str, manifest: bytes, attempted: str) -> bool:
    library = _library(attempted)
    try:
        public = library.Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(signature, validate=True), _CONTEXT + manifest)
    except (library.InvalidSignature, ValueError):
        return False
    return True


def _signatures(path: Path, attempted: str) -> dict[str, str]:
    """Public key -> signature, both in base64; lines of another form are no signatures."""
    try:
        text = read_regular(path / FILE_NAME, _MOST_BYTES).decode("ascii", "replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BundleError(attempted, found=f"{FILE_NAME}: {error.strerror or error}") from error
    pairs = [line.split() for line in text.splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and BundleSettings.is_inline(pair[0])}


def _private_key(path: Path, attempted: str) -> Any:
    library = _library(attempted)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise BundleError(attempted, found=f"{path}: {error.strerror or error}", remedy=f"{_OPENSSL}.") from error
    if os.name == "posix" and mode & 0o077:
        raise BundleError(
            attempted,
            found=f"the private key {path} with the mode {mode & 0o777:03o}",
            expected="a file that only its owner can read",
            remedy=f"Run: chmod 600 {path}.",
        )
    return _load(library.load_pem_private_key, library.Ed25519PrivateKey, path, attempted, None)


def _public_key(key: str, attempted: str) -> str:
    """A public key in base64."""
    if BundleSettings.is_inline(key):
        return key
    library = _library(attempted)
    found = _load(library.load_pem_public_key, library.Ed25519PublicKey, Path(key), attempted)
    return base64.b64encode(found.public_bytes_raw()).decode()


def _load(load: Any, kind: Any, path: Path, attempted: str, *options: Any) -> Any:
    """A key of a PEM file. No error has any of its content."""
    library = _library(attempted)
    expected = f"an Ed25519 key as an unencrypted PEM file. {_OPENSSL}"
    content = _read(path, attempted)
    try:
        key = load(content, *options)
    except (ValueError, TypeError, library.UnsupportedAlgorithm, binascii.Error):
        raise BundleError(attempted, found=f"no such key in {path}", expected=expected) from None
    if not isinstance(key, kind):
        raise BundleError(attempted, found=f"another kind of key in {path}", expected=expected)
    return key


def _read(path: Path, attempted: str) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise BundleError(attempted, found=f"{path}: {error.strerror or error}", expected="a readable file") from error


class _Library:
    """The parts of `cryptography` that are used."""

    def __init__(self) -> None:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

        self.InvalidSignature, self.UnsupportedAlgorithm = InvalidSignature, UnsupportedAlgorithm
        self.Ed25519PrivateKey, self.Ed25519PublicKey = ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey
        self.load_pem_private_key, self.load_pem_public_key = load_pem_private_key, load_pem_public_key


def _library(attempted: str) -> _Library:
    try:
        return _Library()
    except ImportError as error:
        raise MissingExtraError(attempted, found=str(error), remedy="Run: pip install 'quorate[signing]'") from error
