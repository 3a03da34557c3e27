"""Contract suites that other packages run on their own models."""

from quorate.testing.bundle_contract import checks

__all__ = ["checks"]
