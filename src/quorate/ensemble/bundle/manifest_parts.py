"""Parts of manifest.json that need more than a look-up to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from quorate.core.sections.learning import TargetSettings
from quorate.core.types import CLASS_NAMES, Policy
from quorate.ensemble.bundle.calibration_file import FILE_NAME as CALIBRATION
from quorate.ensemble.bundle.manifest_schema import OWN_COLUMNS, schema_mismatch
from quorate.ensemble.recipes import RECIPES
from quorate.features.own import ColumnSource


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
