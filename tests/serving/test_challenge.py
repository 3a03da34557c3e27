"""`/challenge` and the page of bundles: the document of the command line, once there is a challenge."""

import json

import pytest

from quorate.core.clock import HOUR_MS
from quorate.lifecycle.challenge import Challenge
from quorate.serving.documents.challenge import ChallengeDocument
from stubs.service_client import client

from .conftest import ACCOUNT_SETTINGS


@pytest.fixture
def http(make_service, account):
    with client(make_service(account=account)) as made:
        yield made


def test_before_and_after_it_starts(http, account, world):
    assert http.get("/challenge").status_code == 404
    assert "challenge-title" not in http.get("/dashboard/bundles").text

    champion, challenger = (world.bundles / name for name in world.ids)
    challenge = Challenge(journal=account.url, settings=ACCOUNT_SETTINGS)
    challenge.run(champion, challenger, world.data, start=world.end, end=world.end + 20 * HOUR_MS)
    found = http.get("/challenge")
    assert found.status_code == 200
    assert found.json() == json.loads(json.dumps(challenge.status().to_json()))
    ChallengeDocument.model_validate_json(found.content)
    assert found.json()["bars"] == 20
    page = http.get("/dashboard/bundles").text
    assert '<span class="mark ">open</span>' in page
    assert "20 of 2,016" in page

    challenge.stop(who="ann", note="<b>enough</b>")
    assert http.get("/challenge").json()["verdict"] == "stopped"
    page = http.get("/dashboard/bundles").text
    assert '<span class="mark warn">stopped</span>' in page
    assert "by ann: &lt;b&gt;enough&lt;/b&gt;" in page
