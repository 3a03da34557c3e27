"""Errors: the parts of a message, and the tree of classes in the docstring."""

import pickle

import pytest

from quorate.core import errors
from quorate.core.errors import QuorateError, UnknownSymbolError, close_match


def test_a_message_says_what_was_attempted_found_expected_and_the_remedy():
    error = QuorateError("read x.feather", found="row 3 with close -1", expected="positive prices", remedy="Remove it.")
    assert str(error) == "could not read x.feather: found row 3 with close -1; expected positive prices. Remove it."
    assert str(QuorateError("read x")) == "could not read x."
    assert str(UnknownSymbolError("read x", found="y")) == "could not read x: found y."


def test_errors_survive_the_way_between_processes():
    error = pickle.loads(pickle.dumps(QuorateError("a", found="b", expected="c", remedy="D.")))
    assert str(error) == "could not a: found b; expected c. D."


def test_the_docstring_draws_the_tree_as_it_is():
    def tree(kind):
        yield kind.__name__
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from tree(child)

    drawn = [line.replace("│", " ").strip(" ├└─").split()[0] for line in errors.__doc__.splitlines() if "Error" in line]
    assert drawn == list(dict.fromkeys(tree(QuorateError)))


@pytest.mark.parametrize(
    ("word", "meant"), [("BTC/USDT", "BTC/USDT:USDT"), ("btc/usdt:usdt", "BTC/USDT:USDT"), ("zzz", None)]
)
def test_the_close_match_is_named(word, meant):
    known = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert close_match(word, known) == (f"Did you mean '{meant}'?" if meant else "")
