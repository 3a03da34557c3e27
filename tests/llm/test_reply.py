"""Replies of models: what is read, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import PanelError
from quorate.core.redaction import register_secret
from quorate.core.types import Action
from quorate.llm.reply import MOST_LETTERS, MOST_TEXT, SCHEMA, parse_reply

GOOD = {
    "direction": "SELL",
    "confidence": 0.62,
    "technical_summary": "Below its averages.",
    "risk_assessment": "A squeeze.",
    "sentiment": "Fearful.",
    "reasoning": "The trend is down.",
}


def parse(text):
    return parse_reply(text if isinstance(text, str) else json.dumps(text), role="risk", provider="here", model="m")


def test_a_reply_is_read_whole():
    reply = parse(GOOD)
    assert (reply.role, reply.provider, reply.model) == ("risk", "here", "m")
    assert (reply.direction, reply.confidence) == (Action.SELL, 0.62)
    assert (reply.technical_summary, reply.risk_assessment) == ("Below its averages.", "A squeeze.")
    assert (reply.sentiment, reply.reasoning) == ("Fearful.", "The trend is down.")


@pytest.mark.parametrize("confidence", [0, 1, 0.0, 1.0])
def test_the_ends_of_the_range_are_in_it(confidence):
    assert parse(GOOD | {"confidence": confidence}).confidence == confidence


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD | {"confidence": 3278}, "3278 for confidence"),
        (GOOD | {"confidence": -0.01}, "-0.01 for confidence"),
        (GOOD | {"confidence": 1.0000001}, "1.0000001 for confidence"),
        (GOOD | {"confidence": "0.7"}, "'0.7' for confidence"),
        (GOOD | {"confidence": True}, "True for confidence"),
        (GOOD | {"confidence": None}, "None for confidence"),
        (json.dumps(GOOD | {"confidence": float("nan")}), "NaN in place of a number"),
        (json.dumps(GOOD | {"confidence": float("inf")}), "Infinity in place of a number"),
        (json.dumps(GOOD).replace("0.62", "1e999"), "not finite"),
        (GOOD | {"direction": "STRONG_BUY"}, "'STRONG_BUY' for direction"),
        (GOOD | {"direction": "buy"}, "'buy' for direction"),
        (GOOD | {"direction": 2}, "2 for direction"),
        (GOOD | {"multiplier": 5}, "5 for multiplier"),
        (GOOD | {"reasoning": "x" * (MOST_TEXT + 1)}, "for reasoning"),
        (GOOD | {"reasoning": ["x"]}, "for reasoning"),
        ({name: value for name, value in GOOD.items() if name != "sentiment"}, "for sentiment"),
        (json.dumps(GOOD).replace('"SELL"', '"SELL", "direction": "BUY"'), "twice in one object"),
        (json.dumps(GOOD)[:-20], "line 1"),
        (json.dumps([GOOD]), "for the reply"),
        ("null", "for the reply"),
        ("", "an empty text"),
        ("BUY", "line 1"),
        (json.dumps(GOOD) + json.dumps(GOOD | {"direction": "BUY"}), "line 1"),
        (f"Sure! {json.dumps(GOOD)}", "line 1"),
        ("x" * (MOST_LETTERS + 1), "letters; expected at most"),
        ("[" * 10_000, "lists and objects inside each other"),
    ],
)
def test_anything_else_is_refused(text, found):
    with pytest.raises(PanelError, match="could not read the reply of the role risk") as caught:
        parse(text)
    assert found in str(caught.value)
    assert len(str(caught.value)) < 400  # the reply is not repeated whole


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\n {} \n",
        "```json\n{}\n```",
        "```\n{}\n```",
        "<think>BUY? {{}} No.</think>\n{}",
        "<think></think>```json\n{}\n```",
    ],
)
def test_thoughts_and_fences_are_dropped(around):
    assert parse(around.format(json.dumps(GOOD))) == parse(GOOD)


def test_texts_are_on_one_line_and_without_secrets():
    register_secret("canary-of-the-reply-7341")
    reply = parse(GOOD | {"reasoning": "a\x1b[31m\nb\u202e canary-of-the-reply-7341"})
    assert reply.reasoning == "a [31m b ***"


@given(st.text(max_size=200) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_reply_or_a_refusal(text):
    with pytest.raises(PanelError):
        parse(text)


def test_the_schema_allows_what_is_read_and_requires_every_field():
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == set(GOOD)
    assert SCHEMA["additionalProperties"] is False
    assert set(SCHEMA["properties"]["direction"]["enum"]) == {action.name for action in Action}
