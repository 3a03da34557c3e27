"""Every place that names policies names all of them."""

from typing import get_args, get_type_hints

from quorate.cli import options
from quorate.core.sections.calibration import PolicySettings
from quorate.core.sections.freqtrade import FreqtradeSettings
from quorate.core.types import Policy
from quorate.ensemble.voting.any_policy import policy_name, policy_named

NAMES = get_args(Policy)


def test_settings_and_command_line_offer_every_policy():
    assert set(get_args(get_type_hints(PolicySettings)["name"])) == {"chosen", *NAMES}
    (literal, none), *_ = (get_args(get_args(options.Policy)[0]),)
    assert (get_args(literal), none) == (NAMES, type(None))


def test_names_and_policies_belong_together():
    assert [policy_name(policy_named(name)) for name in NAMES if name != "calibrated"] == [
        name for name in NAMES if name != "calibrated"
    ]


def test_the_documented_default_is_the_bundles_own():
    assert (PolicySettings().name, FreqtradeSettings().policy) == ("chosen", "")
