"""Settings of bundles: whose are loaded, and what makes a first champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quorate.core.sections.section import Section, file_list, require

# Letters of 32 bytes in base64.
_KEY_LETTERS = 44


@dataclass(frozen=True, slots=True)
class BundleSettings(Section):
    """Bundles that are loaded, and the first champion of a folder."""

    paths: ClassVar[tuple[str, ...]] = ("trusted_keys",)

    trusted_keys: tuple[str, ...] = ()  # public keys, as PEM files or base64; with any, only bundles signed by one load
    evidence: int = 100  # fewest test rows with which the first bundle of a folder becomes champion by itself

    def __post_init__(self) -> None:
        object.__setattr__(self, "trusted_keys", file_list("bundle.trusted_keys", self.trusted_keys))
        require("bundle", "evidence", self.evidence, 0, 1e9)

    @classmethod
    def is_inline(cls, text: str) -> bool:
        """Whether an entry of `trusted_keys` is a key in base64 and not a file."""
        if len(text) != _KEY_LETTERS or not text.endswith("="):
            return False
        import base64
        import binascii

        try:
            return len(base64.b64decode(text, validate=True)) == 32
        except binascii.Error:
            return False
