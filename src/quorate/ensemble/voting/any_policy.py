"""The policies that a vote can be decided by, and their names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from quorate.core.errors import VoteError, close_match
from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Policy
from quorate.ensemble.voting.calibrated_policy import CALIBRATED, CalibratedPolicy
from quorate.ensemble.voting.closed_policy import CLOSED, ClosedPolicy
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.ensemble.voting.policies import CLASSIC

#: Settings of the classic vote, or one of the other policies.
AnyPolicy = VoteSettings | CalibratedPolicy | ConsensusPolicy | ClosedPolicy

#: The types of what `decide` takes as a policy: one of these, or a name.
POLICY_TYPES = (VoteSettings, CalibratedPolicy, ConsensusPolicy, ClosedPolicy, str)


def policy_name(policy: AnyPolicy) -> Policy:
    """Name of a policy.

    >>> policy_name(VoteSettings()), policy_name(ConsensusPolicy(VoteSettings()))
    ('classic', 'consensus')
    """
    if isinstance(policy, CalibratedPolicy):
        return CALIBRATED
    if isinstance(policy, ConsensusPolicy):
        return CONSENSUS
    return CLOSED if isinstance(policy, ClosedPolicy) else "classic"


def vote_settings(policy: AnyPolicy) -> VoteSettings:
    """Weights, quorum, gate and floor of a policy."""
    return policy if isinstance(policy, VoteSettings) else policy.vote


def with_vote(policy: AnyPolicy, **changed: Any) -> AnyPolicy:
    """The policy with other settings of its vote.

    >>> with_vote(ConsensusPolicy(VoteSettings()), floor=0.6).vote.floor
    0.6
    """
    return (
        replace(policy, **changed)
        if isinstance(policy, VoteSettings)
        else replace(policy, vote=replace(policy.vote, **changed))
    )


def policy_named(name: str, settings: VoteSettings = CLASSIC) -> VoteSettings | ConsensusPolicy | ClosedPolicy:
    """The policy of a name, for those that need nothing from a bundle.

    Raises:
        VoteError: no such policy, or the calibrated one, whose thresholds and maps are fitted.
    """
    if name == "classic":
        return settings
    if name == CONSENSUS:
        return ConsensusPolicy(settings)
    if name == CLOSED:
        return ClosedPolicy(settings, "asked for by name")
    known = [policy for policy in get_args(Policy) if policy != CALIBRATED]
    remedy = "Its thresholds are fitted with a bundle: bundle.with_policy('calibrated')."
    raise VoteError(
        f"decide by the policy {name!r}",
        found="a policy that only a bundle has" if name == CALIBRATED else "no such policy",
        expected=" or ".join(known),
        remedy=remedy if name == CALIBRATED else close_match(name, known),
    )
