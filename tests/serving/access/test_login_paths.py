"""Where a login leads: only to paths of the service itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.serving.access.login import local_path


@pytest.mark.parametrize(
    ("given_path", "after"),
    [
        ("/who", "/who"),
        ("/a/b?c=d", "/a/b?c=d"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" /who", "/"),
        ("", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_a_login_leads_to_a_path_of_the_service(given_path, after):
    assert local_path(given_path, "/") == after


@given(st.text(max_size=30))
def test_no_path_leads_elsewhere(text):
    after = local_path(text, "/")
    assert after.startswith("/")
    assert not after.startswith(("//", "/\\"))
