"""Sessions: found by their id only, ended by time, number, logout and another token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.sections.access import AccessSettings
from quorate.serving.access.sessions import Sessions, csrf_token, is_csrf_token

TOKEN, OTHER = b"a" * 32, b"b" * 32


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def sessions(clock=None, **settings):
    return Sessions(AccessSettings(**settings), clock or Clock())


def test_a_session_is_found_by_its_id_only():
    known = sessions()
    ids = [known.open(name, TOKEN) for name in ("Ann", "Bob")]
    assert [known.find(one, TOKEN).name for one in ids] == ["Ann", "Bob"]
    for wrong in ("", "x", ids[0][:-1], ids[0] + "x", "\ud800"):
        assert known.find(wrong, TOKEN) is None
    assert all(one.encode() not in key for key in known._open for one in ids)  # hashes only


def test_a_session_ends_after_its_time_and_is_forgotten():
    clock = Clock()
    known = sessions(clock, session_hours=1.0)
    one = known.open("", TOKEN)
    clock.now = 3_599
    assert known.find(one, TOKEN)
    clock.now = 3_600
    assert known.find(one, TOKEN) is None
    assert len(known) == 0


@pytest.mark.parametrize("token", [OTHER, None])
def test_another_token_ends_sessions_for_good(token):
    known = sessions()
    one = known.open("", TOKEN)
    assert known.find(one, token) is None
    assert known.find(one, TOKEN) is None


def test_a_closed_session_is_gone_and_others_stay():
    known = sessions()
    one, two = known.open("", TOKEN), known.open("", TOKEN)
    known.close(one)
    known.close("unknown")
    assert known.find(one, TOKEN) is None
    assert known.find(two, TOKEN)


def test_beyond_their_number_the_oldest_ends_and_ended_ones_go_first():
    clock = Clock()
    known = sessions(clock, sessions=3, session_hours=1.0)
    first = [known.open(str(number), TOKEN) for number in range(3)]
    fourth = known.open("3", TOKEN)
    assert [bool(known.find(one, TOKEN)) for one in (*first, fourth)] == [False, True, True, True]
    clock.now = 3_600
    fifth = known.open("4", TOKEN)
    assert len(known) == 1
    assert known.find(fifth, TOKEN)


def test_a_csrf_token_is_of_one_session():
    assert is_csrf_token(csrf_token("one"), "one")
    assert not is_csrf_token(csrf_token("one"), "two")
    assert not is_csrf_token("", "one")
    assert csrf_token("one") != "one"


@given(st.text(max_size=70), st.text(max_size=70))
def test_any_csrf_token_is_judged(given_token, session_id):
    assert is_csrf_token(given_token, session_id) is (given_token == csrf_token(session_id))
