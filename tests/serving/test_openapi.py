"""The description of the API: complete, with examples that are valid, and true of the answers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from stubs.service_client import bearer, running


@pytest.fixture
def description(http):
    return http.get("/openapi.json").json()


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_is_described(description):
    for name, operation in operations(description):
        assert operation.get("description"), name
        assert operation["tags"], name
        for parameter in operation.get("parameters", ()):
            if parameter["name"] != "symbol":
                assert parameter["description"], name


def test_errors_are_described_as_they_are(description):
    for name, operation in operations(description):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = answer["content"]["application/json"]["schema"]
                assert schema["$ref"].endswith("/ErrorDocument"), (name, status)
    assert "HTTPValidationError" not in json.dumps(description)


def documents(kind=BaseModel):
    """Every type of a document, by name."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("quorate.serving"):
            yield each.__name__, each
        yield from documents(each)


def test_examples_are_valid(description):
    kinds, checked = dict(documents()), set()
    for name, schema in description["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            kinds[name].model_validate_json(json.dumps(example))
            checked.add(name)
    assert checked >= {"SignalDocument", "Ready", "ChampionChanged", "Reason", "ErrorDocument"}


def test_nothing_is_loaded_from_elsewhere(http, description):
    assert not re.search(r"https?://", json.dumps(description))
    for page in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert http.get(page).status_code == 404


def test_requests_made_of_the_description(shown, trade, tmp_path):
    """Schemathesis: valid and invalid requests of every operation; no 5xx, and every answer as it is described."""
    trade(60)
    with running(shown) as base:
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", f"{base}/openapi.json"),
                *("--checks", "all", "--max-examples", "60", "--generation-deterministic", "--no-color"),
                *("--warnings", "off", "--header", f"Authorization: {bearer(shown)['Authorization']}"),
                # A stream goes on until the client ends it; see live/test_stream.py.
                *("--exclude-path", "/events"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )
    assert done.returncode == 0, done.stdout
    selected, total = re.search(r"(\d+) selected / (\d+) total", done.stdout).groups()
    assert int(selected) == int(total) - 1 >= 10
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) > 300
