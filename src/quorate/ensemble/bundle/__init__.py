"""Bundles on disk: files, manifest, and the store with its champion."""

from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest

__all__ = ["BundleStore", "Manifest"]
