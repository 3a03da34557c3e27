"""`quorate drift` on quiet and on broken candles on disk."""

import json
import re
import shutil

import pyarrow as pa
import pyarrow.feather

from cli.conftest import run
from cli.lifecycle.conftest import OPTIONS


def drift(watched, data, *options):
    return run("drift", "--bundle", watched.folder / "bundles" / watched.id, "--data", data, *options, **OPTIONS)


def test_a_quiet_span_in_about_ten_lines(watched):
    done = drift(watched, watched.folder / "data", "--until", watched.end)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "quiet"
    assert lines[1] == "  do: nothing"
    assert len(lines) <= 11, done.stdout
    assert "SYNTHETIC" in done.stderr
    for words in ("PSI", "calibration error", "skill over the prior", "log-loss (ADWIN)"):
        assert any(words in line for line in lines), done.stdout
    # The interval is of the newest window, and stands behind its figure.
    (skill,) = (line for line in lines if "skill over the prior" in line)
    pair = r"[+-][\d.]+%"
    assert re.search(rf"{pair}( \[{pair}, {pair}\])?  limit +{pair}  at training {pair}$", skill)


def test_a_broken_span_is_named_first(watched, tmp_path):
    shutil.copytree(watched.folder / "data", tmp_path / "data")
    for name in watched.names:
        path = tmp_path / "data" / "futures" / f"{name.split('/')[0]}_USDT_USDT-1h-futures.feather"
        table = pyarrow.feather.read_table(path)
        volume = table["volume"].to_numpy().copy()
        volume[-10 * 24 :: 3] *= 1_000  # contracts instead of base units, in every third bar
        changed = table.set_column(table.schema.get_field_index("volume"), "volume", pa.array(volume))
        pyarrow.feather.write_feather(changed, path)
    done = drift(watched, tmp_path / "data", "--until", watched.end, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "drifting"
    assert found["features"][0]["name"] in ("volume_ma_ratio", "volume_change")
    assert found["features"][0]["alarm"]
    assert found["alarms"][0]["detector"] == "features"


def test_a_look_back_is_not_kept_and_a_check_is(watched, tmp_path):
    shutil.copytree(watched.folder / "bundles", tmp_path / "bundles")
    kept = tmp_path / "bundles" / "drift" / f"{watched.id}.json"
    arguments = ("drift", "--bundle", tmp_path / "bundles" / watched.id, "--data", watched.folder / "data", "--json")
    assert run(*arguments, "--until", watched.end, **OPTIONS).returncode == 0
    assert not kept.exists()
    done = run(*arguments, **OPTIONS)
    assert done.returncode == 0, done.stderr
    assert json.loads(kept.read_text()) == json.loads(done.stdout)


def test_a_bundle_without_a_reference_is_refused(watched, tmp_path):
    done = run("drift", "--bundle", tmp_path, "--data", watched.folder / "data", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["type"] == "BundleError"


def test_a_date_that_is_none_is_wrong_usage(watched):
    done = drift(watched, watched.folder / "data", "--until", "soon")
    assert done.returncode == 2
    assert "'soon' is not a date" in done.stderr
