"""Bundles that are signed as the settings require, for all that loads a bundle or makes one the champion."""

from __future__ import annotations

from pathlib import Path

from quorate.core.sections.bundle import BundleSettings
from quorate.core.sections.sources import anything_set
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.manifest import Manifest


def read_trusted_manifest(folder: Path, trust: BundleSettings | None, attempted: str) -> Manifest:
    """Read the manifest of a bundle that is signed as required; its other files are not read.

    Args:
        folder: of the bundle.
        trust: keys by one of which it has to be signed, if there are any; None for those of quorate.toml and the
            environment.
        attempted: what was attempted, for the error.

    Raises:
        BundleError: no bundle there, one whose manifest is altered, or one that no trusted key has signed; or a trusted
            key that cannot be read.
        MissingExtraError: there are trusted keys, and cryptography is not installed.
    """
    manifest, content = storage.read_manifest_content(folder)
    trusted = configured_trust(trust).trusted_keys
    if trusted:
        from quorate.ensemble.bundle.signature import require_trusted  # here: few have trusted keys

        require_trusted(folder, content, trusted, attempted)
    return manifest


def configured_trust(trust: BundleSettings | None) -> BundleSettings:
    """The settings that are given; None for those of quorate.toml and the environment."""
    if trust is not None:
        return trust
    if not anything_set():
        return BundleSettings()
    from quorate.core.configuration import load_settings  # here: it reads every section

    return load_settings().bundle
