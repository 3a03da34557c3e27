"""`/drift`: the newest check of the bundle in use, as `quorate drift` wrote it, and its age."""

import subprocess
import sys
from dataclasses import replace

import pytest

from quorate.core.clock import DAY_MS, now_ms
from quorate.core.errors import DataError
from quorate.evaluation.drift.stored_check import check_path, write_check
from quorate.serving.documents.drift import Drift
from stubs.drift_checks import DRIFTING, QUIET


@pytest.mark.parametrize("check", [QUIET, DRIFTING, replace(QUIET, skill=None, calibration=None, features=())])
def test_the_document_is_that_of_the_command_line_with_its_age(http, world, check):
    made = replace(check, bundle=world.ids[0], checked_at=now_ms() // 1_000 * 1_000 - 3_600_000)
    write_check(world.bundles, made)
    answer = http.get("/drift")
    assert answer.status_code == 200
    found = answer.json()
    Drift.model_validate_json(answer.content)
    assert {name: value for name, value in found.items() if name not in ("age_s", "valid")} == made.to_json()
    assert 3_600 <= found["age_s"] < 3_700
    assert found["valid"]


def test_an_old_check_does_not_count(http, world):
    write_check(world.bundles, replace(QUIET, bundle=world.ids[0], checked_at=now_ms() - 4 * DAY_MS))
    assert http.get("/drift").json()["valid"] is False


def test_a_bundle_that_was_never_checked_is_not_found(http, world):
    write_check(world.bundles, replace(QUIET, bundle=world.ids[1]))  # of another one
    answer = http.get("/drift")
    assert answer.status_code == 404
    assert answer.json()["error"]["expected"] == "one by `quorate drift`"


def test_a_damaged_file_is_no_internal_error(http, world):
    write_check(world.bundles, replace(QUIET, bundle=world.ids[0]))
    check_path(world.bundles, world.ids[0]).write_text("{")
    answer = http.get("/drift")
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == DataError.__name__


def test_the_service_needs_no_library_that_watches():
    heavy = "[name for name in ('river', 'scipy', 'pandas') if name in sys.modules]"
    code = f"import sys; import quorate.serving.app; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
