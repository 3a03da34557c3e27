"""Fracast-0 as a member: a small convolutional forecaster of quantiles whose weights are in its package.

Its authors name the collections of series that it was trained on, and no date at which they end, so every bar before
the publication of the weights counts as one that they may know.

Source: https://github.com/ztxtech/fracast-0 (Apache License 2.0; weights in the package fracast).
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from quorate.core.clock import parse_ms
from quorate.core.errors import MissingExtraError, ModelError
from quorate.models.pretrained.member import PretrainedModel
from quorate.models.pretraining import Pretraining

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"

# Version of the package -> date of its publication on PyPI: the data of its weights cannot be later.
_PUBLISHED = {"0.1.0": "2026-09-26"}

_REMEDY = "Run: pip install 'quorate[pretrained]'"


class Fracast(PretrainedModel):
    """Quantile forecasts of Fracast-0, in full precision."""

    name: ClassVar[str] = "fracast"

    @cached_property
    def pretraining(self) -> Pretraining:
        own = self.own
        content = b"".join(_read(self._folder / name) for name in (_CONFIG, _WEIGHTS))
        installed = self._version
        published = None if own.weights else _PUBLISHED.get(installed)
        return Pretraining(
            name="fracast",
            version="weights of your own" if own.weights else installed,
            licence="as the weights say" if own.weights else "Apache-2.0",
            digest=hashlib.sha256(content).hexdigest(),
            cutoff=own.cutoff_ms(),
            released=None if published is None else parse_ms(published),
        )

    @property
    def _version(self) -> str:
        try:
            return version("fracast")
        except PackageNotFoundError as error:
            raise MissingExtraError("use fracast", found=f"no package {error}", remedy=_REMEDY) from error

    @property
    def _folder(self) -> Path:
        """Folder of the weights: never an address, for which the package would download them."""
        if self.own.weights:
            return Path(self.own.weights)
        found = find_spec("fracast")
        if found is None or found.origin is None:
            raise MissingExtraError("use fracast", found="no package fracast", remedy=_REMEDY)
        return Path(found.origin).parent / "weights"

    def _load_network(self, context: int) -> Any:
        from quorate.models.pretrained.fracast_network import FracastNetwork

        folder = self._folder
        try:
            config = json.loads(_read(folder / _CONFIG))["model"]
            core, head = _library().load_fracast(folder, weights="fp32", device="cpu")
        except (ValueError, KeyError, TypeError, RuntimeError, OSError) as error:
            raise ModelError(
                f"read the weights in {folder}", found=repr(error), expected="a release of fracast"
            ) from error
        return FracastNetwork(core, head, config, context).eval()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"read the weights {path}",
            found=error.strerror or str(error),
            expected=f"a folder with {_CONFIG} and {_WEIGHTS}",
            remedy="Set models.fracast.weights to it, or to nothing for the weights in the package.",
        ) from error


def _library() -> Any:
    try:
        from fracast import inference
    except ImportError as error:
        raise MissingExtraError("use fracast", found=str(error), remedy=_REMEDY) from error
    return inference
