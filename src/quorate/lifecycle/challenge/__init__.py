"""Champion and challenger: a paired test of two bundles that may be looked at after every bar."""

from quorate.lifecycle.challenge.challenge import Challenge, ChallengeRun
from quorate.lifecycle.challenge.status import ChallengeStatus

__all__ = ["Challenge", "ChallengeRun", "ChallengeStatus"]
