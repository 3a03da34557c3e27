"""What a bundle says about itself: the text of manifest.json, and every refusal that can be read off it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self, get_args

from quorate.core.clock import iso_ms, parse_ms
from quorate.core.errors import BundleError, FeatureError, QuorateError
from quorate.core.sections.learning import TargetSettings
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import CLASS_NAMES, Policy
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.manifest_schema import OWN_COLUMNS, misfit
from quorate.ensemble.recipes import RECIPES, RecipeName
from quorate.features.catalogue import describe
from quorate.features.own import ColumnSource

SCHEMA_VERSION = 2
DTYPE = "float32"
FILE_NAME = "manifest.json"

_REMEDY = "Train it again with this version of Quorate."


@dataclass(frozen=True, slots=True)
class Member:
    """One configured model: its files, or why it has none."""

    model: str
    native: str | None = None
    graph: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of a trained ensemble besides its models.

    Attributes:
        id: of the content: the first 16 hex digits of the SHA-256 of everything else in the manifest.
        features: the feature set's name; feature_names and feature_hash are what it was when trained.
        own_columns: those of its columns that are not in the catalogue, with the digests of their source; a bundle can
            be loaded only where the same columns are.
        policy: of the vote; the calibrated policy's numbers are in calibration.json.
        decides: the policy that later rows chose: classic or calibrated.
        training_start: open time in ms of the first bar that trained it.
        training_end: open time of the last bar whose close a label has read; bars from here on are unseen.
        class_prior: shares of SELL, HOLD, BUY among the training rows: the baseline of every score. Empty for a stack.
        metrics: member -> part -> figures, as measured when it was trained.
        files: file name -> SHA-256.
        stack: method, members, strength and weights of the combiner; empty for a vote.
    """

    recipe: RecipeName
    features: str
    feature_names: tuple[str, ...]
    feature_hash: str
    target: TargetSettings
    policy: VoteSettings
    symbols: tuple[str, ...]
    timeframe: str
    synthetic: bool
    training_start: int
    training_end: int
    rows: Mapping[str, int]
    class_prior: tuple[float, ...]
    members: tuple[Member, ...]
    metrics: Mapping[str, Any]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    files: Mapping[str, str]
    decides: Policy = "classic"
    id: str = ""
    stack: Mapping[str, Any] = field(default_factory=dict)
    own_columns: tuple[ColumnSource, ...] = ()

    def sealed(self) -> Self:
        """The same manifest with the id that its content has."""
        return replace(self, id=_digest(self._tree()))

    def text(self) -> str:
        """The one text of this manifest, to the byte."""
        return _dump(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The manifest as a document: what manifest.json holds."""
        return {"id": self.id, **self._tree()}

    def _tree(self) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "recipe": self.recipe,
            "features": self._features_tree(),
            "classes": list(CLASS_NAMES),
            "dtype": DTYPE,
            "target": self._target_tree(),
            "policy": {f.name: getattr(self.policy, f.name) for f in fields(VoteSettings) if f.name != "weights"}
            | {"weights": dict(self.policy.weights)},
            "decides": self.decides,
            "symbols": list(self.symbols),
            "timeframe": self.timeframe,
            "synthetic": self.synthetic,
            "training_span": {"from": iso_ms(self.training_start), "to": iso_ms(self.training_end)},
            "rows": dict(self.rows),
            "class_prior": list(self.class_prior),
            "members": [asdict(member) for member in self.members],
            "metrics": self.metrics,
            "settings": self.settings,
            "versions": dict(self.versions),
            "files": dict(self.files),
        } | ({"stack": dict(self.stack)} if self.stack else {})

    def _features_tree(self) -> dict[str, Any]:
        tree = {"set": self.features, "names": list(self.feature_names), "hash": self.feature_hash}
        return tree | ({"own": [asdict(column) for column in self.own_columns]} if self.own_columns else {})

    @property
    def horizon(self) -> int:
        """Bars that a label looks ahead."""
        return RECIPES[self.recipe].horizon(self.target)

    def _target_tree(self) -> dict[str, Any]:
        kind = {"kind": RECIPES[self.recipe].target, "horizon": self.horizon}
        return kind | ({"band": self.target.band} if self.recipe == "vote" else {})

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Self:
        """Read a manifest and refuse one that is altered or was made for something else.

        Raises:
            BundleError: no JSON, a newer schema, a byte changed, other classes, dtype or features.
        """
        attempted = f"load the bundle {path}"
        try:
            tree = json.loads(content, parse_constant=_refuse_constant)
            schema = tree["schema_version"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(
                attempted, found=f"a text that cannot be read ({error})", expected="the manifest as published"
            ) from error
        if schema != SCHEMA_VERSION:
            raise BundleError(
                attempted,
                found=f"schema version {schema}",
                expected=f"version {SCHEMA_VERSION}",
                remedy="Train it again with this version of Quorate, or use the version that made it.",
            )
        _require(attempted, "class order", tree.get("classes"), list(CLASS_NAMES))
        _require(attempted, "dtype", tree.get("dtype"), DTYPE)
        wrong = misfit(tree)
        if wrong is not None:
            raise BundleError(
                attempted, found=f"an incomplete manifest ({wrong})", expected="every field of a manifest"
            )
        try:
            if tree["recipe"] not in RECIPES:
                _require(attempted, "recipe", tree["recipe"], " or ".join(RECIPES))
            _require(attempted, "target", tree["target"]["kind"], RECIPES[tree["recipe"]].target)
            manifest = cls._from_tree(tree)
            _require_files(attempted, manifest)
            # Of the text as it stands, so that a field that this version does not know is no alteration.
            own = _digest({key: value for key, value in tree.items() if key != "id"})
        except BundleError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, QuorateError) as error:
            raise BundleError(
                attempted, found=f"an incomplete manifest ({error})", expected="every field of a manifest"
            ) from error
        try:
            names, digest = describe(manifest.features, manifest.own_columns)
        except FeatureError as error:
            raise BundleError(attempted, found=error.found, expected=error.expected, remedy=error.remedy) from error
        _require_order(attempted, manifest.feature_names, names)
        _require(attempted, "feature hash", manifest.feature_hash, digest)
        if own != manifest.id or _dump(tree).encode() != content:
            raise BundleError(
                attempted,
                found=f"altered: its id is {manifest.id}, its content makes {own}",
                expected="the manifest as published",
                remedy="Restore it from a copy, or train again.",
            )
        return manifest

    @classmethod
    def _from_tree(cls, tree: Mapping[str, Any]) -> Self:
        return cls(
            id=tree["id"],
            recipe=tree["recipe"],
            features=tree["features"]["set"],
            feature_names=tuple(tree["features"]["names"]),
            feature_hash=tree["features"]["hash"],
            target=_target(tree),
            policy=VoteSettings(**tree["policy"]),
            decides=_decides(tree),
            symbols=tuple(tree["symbols"]),
            timeframe=tree["timeframe"],
            synthetic=tree["synthetic"],
            training_start=parse_ms(tree["training_span"]["from"]),
            training_end=parse_ms(tree["training_span"]["to"]),
            rows=tree["rows"],
            class_prior=_shares(tree),
            members=tuple(Member(**member) for member in tree["members"]),
            metrics=tree["metrics"],
            settings=tree["settings"],
            versions=tree["versions"],
            files=tree["files"],
            stack=dict(tree.get("stack", {})),
            own_columns=_own_columns(tree["features"]),
        )


def _require(attempted: str, what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise BundleError(attempted, found=f"{what} {found}", expected=str(expected), remedy=_REMEDY)


def _require_order(attempted: str, found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """The same features in the same order; the first that differs is named."""
    if len(found) != len(expected):
        raise BundleError(
            attempted, found=f"{len(found)} features", expected=f"{len(expected)} features", remedy=_REMEDY
        )
    for place, (name, known) in enumerate(zip(found, expected, strict=True), 1):
        if name != known:
            raise BundleError(
                attempted, found=f"feature order: {name!r} at place {place}", expected=repr(known), remedy=_REMEDY
            )


def _digest(tree: Mapping[str, Any]) -> str:
    return hashlib.sha256(_dump(tree).encode()).hexdigest()[:16]


def _target(tree: Mapping[str, Any]) -> TargetSettings:
    told = tree["target"]
    if tree["recipe"] == "vote":
        return TargetSettings(horizon=told["horizon"], band=told["band"])
    return TargetSettings(return_horizon=told["horizon"])


def _decides(tree: Mapping[str, Any]) -> Policy:
    told = tree["decides"]
    if told not in get_args(Policy):
        raise ValueError(f"a policy {told!r} instead of {' or '.join(get_args(Policy))}")
    if told == "calibrated" and CALIBRATION not in tree["files"]:
        raise ValueError(f"a calibrated policy without {CALIBRATION}")
    return told  # type: ignore[no-any-return]


def _shares(tree: Mapping[str, Any]) -> tuple[float, ...]:
    shares = tuple(tree["class_prior"])
    expected = len(CLASS_NAMES) if tree["recipe"] == "vote" else 0
    if len(shares) != expected:
        raise ValueError(f"a class prior of {len(shares)} shares instead of {expected}")
    return shares


def _own_columns(features: Mapping[str, Any]) -> tuple[ColumnSource, ...]:
    told = features.get("own", [])
    wrong = misfit(told, OWN_COLUMNS, "features.own")
    if wrong is not None:
        raise ValueError(wrong)
    return tuple(ColumnSource(**column) for column in told)


def _require_files(attempted: str, manifest: Manifest) -> None:
    """Every file is one of the bundle's own folder, and every member's files are among them."""
    strays = [name for name in manifest.files if not name or name in (".", "..") or set(name) & set("/\\\0")]
    if strays:
        raise BundleError(attempted, found=f"the file name {strays[0]!r}", expected="a file of the bundle's own folder")
    for member in manifest.members:
        for name in (member.native, member.graph):
            if name is not None and name not in manifest.files:
                raise BundleError(
                    attempted,
                    found=f"no file {name!r} of the member {member.model}",
                    expected=f"one of {', '.join(manifest.files)}",
                )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _dump(tree: Mapping[str, Any]) -> str:
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
