"""Parts of manifest.json that need more than a look-up to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from quorate.core.sections.learning import TargetSettings
from quorate.core.types import CLASS_NAMES, Policy
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.manifest_schema import OWN_COLUMNS, PRETRAINED, schema_mismatch
from quorate.ensemble.recipes import RECIPES
from quorate.features.own import ColumnSource
from quorate.models.pretraining import Pretraining

_LONGEST = 200  # letters of a text about pretrained weights


def read_target(tree: Mapping[str, Any]) -> TargetSettings:
    """The target's settings."""
    target = tree["target"]
    if tree["recipe"] == "vote":
        return TargetSettings(horizon=target["horizon"], band=target["band"])
    return TargetSettings(return_horizon=target["horizon"])


def read_policy(tree: Mapping[str, Any]) -> Policy:
    """The policy in force.

    Raises:
        ValueError: an unknown one, or one that the bundle cannot have.
    """
    policy = tree["decides"]
    if policy not in get_args(Policy):
        raise ValueError(f"a policy {policy!r} instead of {' or '.join(get_args(Policy))}")
    if policy == "calibrated" and CALIBRATION not in tree["files"]:
        raise ValueError(f"a calibrated policy without {CALIBRATION}")
    if policy != "classic" and RECIPES[tree["recipe"]].task == "return":
        raise ValueError(f"the policy {policy!r} in a stack, which decides by its predicted return")
    return policy  # type: ignore[no-any-return]


def read_shares(tree: Mapping[str, Any]) -> tuple[float, ...]:
    """The class shares; empty for a stack.

    Raises:
        ValueError: another number of them.
    """
    shares = tuple(tree["class_prior"])
    expected = len(CLASS_NAMES) if tree["recipe"] == "vote" else 0
    if len(shares) != expected:
        raise ValueError(f"a class prior of {len(shares)} shares instead of {expected}")
    return shares


def read_pretrained(tree: Mapping[str, Any]) -> dict[str, Pretraining]:
    """Member -> its pretrained weights; empty for bundles without such a member.

    Raises:
        ValueError: an entry that is incomplete, or of no member.
        QuorateError: a time that is none.
    """
    found = tree.get("pretrained", {})
    mismatch = schema_mismatch(found, PRETRAINED, "pretrained")
    if mismatch is not None:
        raise ValueError(mismatch)
    unknown = found.keys() - {member["model"] for member in tree["members"]}
    if unknown:
        raise ValueError(f"pretrained weights of {', '.join(sorted(unknown))}, which is no member")
    texts = [text for each in found.values() for text in each.values() if text is not None]
    if not all(text.isprintable() and len(text) <= _LONGEST for text in texts):
        raise ValueError(f"a text of pretrained weights with control characters, or of more than {_LONGEST} letters")
    return {name: Pretraining.from_json(each) for name, each in found.items()}


def read_columns(features: Mapping[str, Any]) -> tuple[ColumnSource, ...]:
    """The user-defined columns of the mapping "features".

    Raises:
        ValueError: an entry that is incomplete.
    """
    columns = features.get("own", [])
    mismatch = schema_mismatch(columns, OWN_COLUMNS, "features.own")
    if mismatch is not None:
        raise ValueError(mismatch)
    return tuple(ColumnSource(**column) for column in columns)
