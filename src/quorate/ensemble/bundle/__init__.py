"""A trained ensemble on disk: its files, its manifest, and the store with a champion."""

from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import Manifest

__all__ = ["BundleStore", "Manifest"]
