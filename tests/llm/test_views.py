"""Replies of the panel: what they may hold."""

import math

import pytest

from quorate.core.errors import PanelError
from quorate.core.types import Action
from quorate.llm import ROLES, PanelView, RoleAbstention, RoleReply


def reply(role="technical", direction=Action.BUY, confidence=0.8):
    return RoleReply(role, "local", "gemma3", direction, confidence)


def test_the_roles_are_those_of_the_contract():
    assert dict(ROLES) == {"technical": 0.40, "risk": 0.35, "sentiment": 0.25}
    with pytest.raises(TypeError):
        ROLES["technical"] = 1.0


@pytest.mark.parametrize("confidence", [-1e-9, 1.0000001, 3278, math.nan, math.inf, -math.inf, True, "0.8", None])
def test_a_confidence_outside_0_to_1_is_refused(confidence):
    with pytest.raises(PanelError, match="from 0 to 1"):
        reply(confidence=confidence)


@pytest.mark.parametrize("confidence", [0, 0.0, 1, 1.0])
def test_the_ends_of_the_range_are_valid(confidence):
    assert reply(confidence=confidence).confidence == confidence


@pytest.mark.parametrize("direction", ["BUY", 2, None])
def test_a_direction_is_an_action(direction):
    with pytest.raises(PanelError, match="SELL, HOLD or BUY"):
        reply(direction=direction)


def test_unknown_roles_are_refused():
    for make in (lambda: reply(role="oracle"), lambda: RoleAbstention("oracle", "timeout")):
        with pytest.raises(PanelError, match="technical, risk, sentiment"):
            make()


def test_a_role_replies_once_and_not_beside_its_abstention():
    with pytest.raises(PanelError, match="risk twice"):
        PanelView((reply("risk"), reply("risk", Action.SELL)))
    with pytest.raises(PanelError, match="risk twice"):
        PanelView((reply("risk"),), (RoleAbstention("risk", "timeout"),))


def test_a_view_as_a_document():
    view = PanelView((reply(),), (RoleAbstention("risk", "timeout after 10 s"),), contaminated=True)
    assert view.to_json() == {
        "replies": [
            {
                "role": "technical",
                "provider": "local",
                "model": "gemma3",
                "direction": "BUY",
                "confidence": 0.8,
                "technical_summary": "",
                "risk_assessment": "",
                "sentiment": "",
                "reasoning": "",
            }
        ],
        "abstentions": [{"role": "risk", "reason": "timeout after 10 s"}],
        "contaminated": True,
    }
