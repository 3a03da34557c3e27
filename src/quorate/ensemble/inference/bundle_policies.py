"""The policies that a loaded bundle can decide by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from quorate.core.arguments import require_type
from quorate.core.errors import BundleError, close_match
from quorate.core.types import Policy
from quorate.ensemble.bundle.calibration_file import Calibration
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.voting.any_policy import AnyPolicy
from quorate.ensemble.voting.closed_policy import ClosedPolicy
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy


def bundle_policies(manifest: Manifest, calibration: Calibration, *, stacked: bool) -> dict[Policy, AnyPolicy]:
    """Policies that a bundle has: all, but calibrated only if its scores could be calibrated.

    A stack has none but the name classic.
    """
    vote = manifest.policy
    policies: dict[Policy, AnyPolicy] = {"classic": vote}
    if stacked:
        return policies
    if calibration.policy is not None:
        policies["calibrated"] = calibration.policy
    why = manifest.closed_because or "the closed policy was asked for in place of the bundle's own"
    return policies | {"consensus": ConsensusPolicy(vote), "closed": ClosedPolicy(vote, why)}


def require_policy(policies: Mapping[Policy, AnyPolicy], policy: str, calibration: Calibration) -> Policy:
    """The name of one of a bundle's policies.

    Args:
        policies: of the bundle.
        policy: the name.
        calibration: of the bundle, which may say why it has no calibrated policy.

    Raises:
        ArgumentError: not a text.
        BundleError: no such policy, or the bundle does not have it; the message says why.
    """
    require_type("choose the policy", "policy", policy, str, " or ".join(policies))
    if policy in policies:
        return cast("Policy", policy)
    known = get_args(Policy)
    found = "no such policy"
    if policy in known and len(policies) == 1:
        found = "a stack, which decides by its predicted return"
    elif policy in known:
        found = f"a bundle whose scores have no probabilities ({calibration.lacking.get('ensemble', '')})"
    raise BundleError(
        f"decide by the policy '{policy}'",
        found=found,
        expected=" or ".join(policies),
        remedy="" if policy in known else close_match(policy, known),
    )
