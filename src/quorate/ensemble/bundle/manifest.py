"""The manifest of a bundle, manifest.json: writing, reading, and every check that needs no other file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from quorate.core.clock import iso_ms, parse_ms
from quorate.core.errors import BundleError, FeatureError, QuorateError
from quorate.core.sections.learning import TargetSettings
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import CLASS_NAMES, Policy
from quorate.core.untrusted_json import parse_json
from quorate.ensemble.bundle.manifest_parts import (
    read_columns,
    read_policy,
    read_pretrained,
    read_shares,
    read_target,
)
from quorate.ensemble.bundle.manifest_schema import schema_mismatch
from quorate.ensemble.bundle.manifest_values import Member as Member
from quorate.ensemble.bundle.manifest_values import printable, require_possible
from quorate.ensemble.recipes import RECIPES, RecipeName
from quorate.ensemble.voting.closed_policy import CLOSED
from quorate.features.catalogue import describe
from quorate.features.column import short_name
from quorate.features.own import ColumnSource
from quorate.models.pretraining import Pretraining

SCHEMA_VERSION = 4
DTYPE = "float32"
FILE_NAME = "manifest.json"

_REMEDY = "Train it again with this version of Quorate."


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a trained ensemble: everything but its models.

    Attributes:
        id: content hash: the first 16 hex digits of the SHA-256 of everything else in the manifest.
        features: name of the feature set; feature_names and feature_hash are those at training time.
        own_columns: user-defined columns of the feature set, with the digests of their source. They must be available,
            unchanged, to load the bundle.
        policy: settings of the vote; those of the calibrated policy are in calibration.json.
        decides: the policy in force, chosen on rows that no member was fitted on.
        training_start: open time in ms of the first training bar.
        training_end: open time in ms of the last bar whose close a label reads; bars from here on are unseen.
        fitted_until: open time in ms of the last bar whose close is read by a label that members were fitted on, or
            stopped by.
        used_until: likewise of every label that anything was fitted on or chosen by: members, calibration, policy. Rows
            after it were measured alone.
        class_prior: shares of SELL, HOLD, BUY in the training rows, the baseline of every score. Empty for a stack.
        metrics: member -> part -> figures, measured at training time.
        files: file name -> SHA-256.
        pretrained: member -> its pretrained weights, for members that have any.
        stack: method, members, penalty and weights of the combiner; empty for a vote.
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
    fitted_until: int
    used_until: int
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
    pretrained: Mapping[str, Pretraining] = field(default_factory=dict)
    own_columns: tuple[ColumnSource, ...] = ()

    def with_id(self) -> Self:
        """The manifest with the id of its content."""
        return replace(self, id=_digest(self._tree()))

    def text(self) -> str:
        """Text of manifest.json, byte for byte."""
        return _dump(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Content of manifest.json."""
        return {"id": self.id, **self._tree()}

    def _tree(self) -> dict[str, Any]:
        return (
            {
                "schema_version": SCHEMA_VERSION,
                "recipe": self.recipe,
                "features": self._features_tree(),
                "classes": list(CLASS_NAMES),
                "dtype": DTYPE,
                "target": self._target_tree(),
                "policy": self.policy.to_json(),
                "decides": self.decides,
                "symbols": list(self.symbols),
                "timeframe": self.timeframe,
                "synthetic": self.synthetic,
                "training_span": {"from": iso_ms(self.training_start), "to": iso_ms(self.training_end)},
                "fitted_until": iso_ms(self.fitted_until),
                "used_until": iso_ms(self.used_until),
                "rows": dict(self.rows),
                "class_prior": list(self.class_prior),
                "members": [asdict(member) for member in self.members],
                "metrics": self.metrics,
                "settings": self.settings,
                "versions": dict(self.versions),
                "files": dict(self.files),
            }
            | ({"stack": dict(self.stack)} if self.stack else {})
            | self._pretrained_tree()
        )

    def _features_tree(self) -> dict[str, Any]:
        tree = {"set": self.features, "names": list(self.feature_names), "hash": self.feature_hash}
        return tree | ({"own": [asdict(column) for column in self.own_columns]} if self.own_columns else {})

    def _pretrained_tree(self) -> dict[str, Any]:
        found = {name: each.to_json() for name, each in self.pretrained.items()}
        return {"pretrained": found} if found else {}

    @property
    def features_title(self) -> str:
        """Name of the feature set for tables."""
        title = short_name(self.features)
        return f"{title}, chosen in training" if "features" in self.metrics else title

    @property
    def horizon(self) -> int:
        """Bars that a label looks ahead."""
        return RECIPES[self.recipe].horizon(self.target)

    @property
    def closed_because(self) -> str:
        """Why the bundle's own policy is closed, one sentence; empty where it is another."""
        if self.decides != CLOSED:
            return ""
        report = self.metrics.get("probabilities")
        why = report.get("why") if isinstance(report, Mapping) else None
        # The report's sentence names the policy first.
        because = str(why or "").removeprefix(f"{CLOSED}: ")
        return printable(because or "the evidence of its training does not justify acting")

    def _target_tree(self) -> dict[str, Any]:
        kind = {"kind": RECIPES[self.recipe].target, "horizon": self.horizon}
        return kind | ({"band": self.target.band} if self.recipe == "vote" else {})

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Self:
        """Read and check a manifest.

        Raises:
            BundleError: not JSON, another schema version, altered content, impossible values, or other classes, dtype,
                target or features than this version has.
        """
        attempted = f"load the bundle {path}"
        try:
            return cls._parse(content, attempted)
        except BundleError as error:
            # Its words may come from the manifest.
            found, expected = printable(error.found), printable(error.expected)
            raise BundleError(attempted, found=found, expected=expected, remedy=printable(error.remedy)) from error

    @classmethod
    def _parse(cls, content: bytes, attempted: str) -> Self:
        try:
            tree = parse_json(content)
            schema = tree["schema_version"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(
                attempted, found=f"an unreadable manifest ({error})", expected="the manifest as published"
            ) from error
        if schema != SCHEMA_VERSION:
            raise BundleError(
                attempted,
                found=f"schema version {schema}",
                expected=f"version {SCHEMA_VERSION}",
                remedy="Train it again with this version of Quorate, or use the version that trained it.",
            )
        _require(attempted, "class order", tree.get("classes"), list(CLASS_NAMES))
        _require(attempted, "dtype", tree.get("dtype"), DTYPE)
        mismatch = schema_mismatch(tree)
        if mismatch is not None:
            raise BundleError(
                attempted, found=f"an incomplete manifest ({mismatch})", expected="every field of a manifest"
            )
        try:
            if tree["recipe"] not in RECIPES:
                _require(attempted, "recipe", tree["recipe"], " or ".join(RECIPES))
            _require(attempted, "target", tree["target"]["kind"], RECIPES[tree["recipe"]].target)
            manifest = cls._from_tree(tree)
            _require_files(attempted, manifest)
            require_possible(manifest)
            # Hash of the file as it is: fields that this version does not know are no alteration.
            content_id = _digest({key: value for key, value in tree.items() if key != "id"})
        except BundleError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, QuorateError) as error:
            raise BundleError(
                attempted, found=f"an incomplete manifest ({error})", expected="every field of a manifest"
            ) from error
        try:
            names, digest = describe(manifest.features, manifest.own_columns)
        except FeatureError as error:
            raise BundleError(attempted, found=error.found, expected=error.expected, remedy=error.remedy) from error
        _require_order(attempted, manifest.feature_names, names)
        _require(attempted, "feature hash", manifest.feature_hash, digest)
        if content_id != manifest.id or _dump(tree).encode() != content:
            raise BundleError(
                attempted,
                found=f"altered: its id is {manifest.id}, the id of its content {content_id}",
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
            target=read_target(tree),
            policy=VoteSettings(**tree["policy"]),
            decides=read_policy(tree),
            symbols=tuple(tree["symbols"]),
            timeframe=tree["timeframe"],
            synthetic=tree["synthetic"],
            training_start=parse_ms(tree["training_span"]["from"]),
            training_end=parse_ms(tree["training_span"]["to"]),
            fitted_until=parse_ms(tree["fitted_until"]),
            used_until=parse_ms(tree["used_until"]),
            rows=tree["rows"],
            class_prior=read_shares(tree),
            members=tuple(Member(**member) for member in tree["members"]),
            metrics=tree["metrics"],
            settings=tree["settings"],
            versions=tree["versions"],
            files=tree["files"],
            stack=dict(tree.get("stack", {})),
            pretrained=read_pretrained(tree),
            own_columns=read_columns(tree["features"]),
        )


def _require(attempted: str, what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise BundleError(attempted, found=f"{what} {found}", expected=str(expected), remedy=_REMEDY)


def _require_order(attempted: str, found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Require the same features in the same order; the error names the first that differs."""
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


def _require_files(attempted: str, manifest: Manifest) -> None:
    """Require plain file names, and every file of a member among them."""
    invalid = [name for name in manifest.files if not name or name in (".", "..") or set(name) & set("/\\\0")]
    if invalid:
        raise BundleError(
            attempted, found=f"the file name {invalid[0]!r}", expected="the plain name of a file in the bundle's folder"
        )
    for member in manifest.members:
        for name in (member.native, member.graph):
            if name is not None and name not in manifest.files:
                raise BundleError(
                    attempted,
                    found=f"no file {name!r} of the member {member.model}",
                    expected=f"one of {', '.join(manifest.files)}",
                )


def _dump(tree: Mapping[str, Any]) -> str:
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
