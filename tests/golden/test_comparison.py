"""The comparison itself: it sees one bit, it leaves out what the table names, and one other constant ends it with 1."""

import copy
import json
import math
import shutil
import sys
from pathlib import Path

import pytest

import quorate
from golden import compare, store
from golden.checkouts import all_differences, figures
from golden.compact import LIST, compact
from golden.differences import LOOSE, Difference, differences
from golden.runs import CHAINS, Outcome
from golden.stored import path_of, read
from golden.varying import VARYING, without_varying


def leaves(node, path=()):
    """Path and value of every leaf; the shown elements of a long list are elements."""
    if isinstance(node, dict) and LIST in node:
        for element in node[LIST]["elements"].values():
            yield from leaves(element, (*path, "[]"))
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value, (*path, "[]"))
    else:
        yield ".".join(path), node


STORED = {
    (chain, command.name): (command.verb, read(path_of(chain))[command.name]["document"])
    for chain, commands in CHAINS.items()
    for command in commands
}


@pytest.mark.parametrize("row", VARYING, ids=lambda row: f"{row.verbs[0]} {row.path}")
def test_every_exception_is_needed(row):
    placeholder = row.instead.strip('"').replace("\\1", "")
    found = {
        path
        for verb, document in STORED.values()
        if verb in row.verbs
        for path, value in leaves(document)
        if isinstance(value, str) and placeholder in value
    }
    pattern = row.path.split(".")
    assert any(
        all(wanted in ("*", key) for wanted, key in zip(pattern, path.split(".")[-len(pattern) :], strict=True))
        for path in found
        if len(path.split(".")) >= len(pattern)
    )


def test_what_varies_is_replaced_only_where_and_as_the_table_says():
    document = {
        "models": {"xgboost": {"seconds": 0.25, "metrics": {"seconds": 3}}},
        "stages": [{"stage": "candles", "seconds": 1.0, "peak_mib": None}],
    }
    assert without_varying("train", document) == {
        "models": {"xgboost": {"seconds": "<seconds>", "metrics": {"seconds": 3}}},
        "stages": [{"stage": "candles", "seconds": "<seconds>", "peak_mib": None}],
    }
    assert without_varying("signal", document) == document


def test_a_session_is_known_by_its_kind_and_not_by_its_moment():
    entry = {
        "written_at": "2024-01-01T00:00:00Z",
        "key": "human:rearm:losses:1704067200000",
        "body": {"at": 1704067200000},
    }
    assert without_varying("paper journal", [entry]) == [
        {"written_at": "<moment>", "key": "human:rearm:losses:<moment>", "body": {"at": "<moment>"}}
    ]


@pytest.mark.parametrize(("chain", "command"), STORED)
def test_one_bit_of_one_figure_is_a_difference(chain, command):
    _, document = STORED[chain, command]
    assert differences(document, document) == differences(document, document, "close") == []
    for found in floats(document)[::17]:
        other = copy.deepcopy(document)
        value = get(other, found)
        put(other, found, math.nextafter(value, math.inf))
        assert len(differences(document, other)) == 1
        tolerance = max(LOOSE.get(key, 1e-9) for key in found)
        if tolerance < math.inf:
            put(other, found, value * (1 + 2 * tolerance) + 2e-12)
            assert len(differences(document, other, "close")) == 1


def floats(node, path=()):
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    below = [one for key, value in items for one in floats(value, (*path, key))]
    return [path] if isinstance(node, float) else below


def get(node, path):
    for key in path:
        node = node[key]
    return node


def put(node, path, value):
    get(node, path[:-1])[path[-1]] = value


@pytest.mark.parametrize("place", [0, 1, 57, 98])
def test_one_bit_anywhere_in_a_long_list_is_a_difference(place):
    rows = [{"time": f"2024-01-01T{number}", "equity": 1000.0 + number / 7, "open": number % 3} for number in range(99)]
    other = copy.deepcopy(rows)
    other[place]["equity"] = math.nextafter(rows[place]["equity"], 0)
    found = {one.path.rpartition("}")[2] for one in differences(compact(rows), compact(other))}
    assert f"{LIST}.columns..equity" in found
    assert differences(compact(rows), compact(other), "close") == []
    other[place]["equity"] *= 1 + 1e-6
    assert differences(compact(rows), compact(other), "close")


def test_long_lists_keep_order_length_and_columns():
    rows = [{"a": number, "b": [number, None]} for number in range(20)]
    for other in (rows[::-1], rows[:-1], [row | {"c": 1} for row in rows], [{"a": row["a"]} for row in rows]):
        assert differences(compact(rows), compact(other), "close")


def test_ids_are_compared_by_occurrence_where_versions_differ():
    before = {"id": "0123456789abcdef", "bundle": "bundles/0123456789abcdef", "data": "00000000deadbeef"}
    after = {"id": "fedcba9876543210", "bundle": "bundles/fedcba9876543210", "data": "00000000deadbeef"}
    assert len(differences(before, after)) == 2
    assert differences(before, after, "close") == []
    assert differences(before, after | {"data": "fedcba9876543210"}, "close")


@pytest.mark.parametrize(
    ("before", "after", "wording"),
    [
        ("3 of 4 members agree", "3 members of 4 agree", True),
        ("3 of 4 members agree", "4 of 3 members agree", False),
        ("lost 1,024.50 USD", "lost 1,024.51 USD", False),
        ("time", "timed out", False),
        (1, 2, False),
    ],
)
def test_wording_is_sentences_with_the_same_numbers(before, after, wording):
    assert Difference("", before, after).wording() is wording


def outcome(**document):
    return {"walk": {"evaluate": Outcome(0, document)}}


def test_published_files_are_compared_byte_by_byte():
    before, after = outcome(n=3), outcome(n=3)
    before["walk"]["evaluate"] = Outcome(0, {"n": 3}, published={"bundle 1/x.bin": b"\0"})
    after["walk"]["evaluate"] = Outcome(0, {"n": 3}, published={"bundle 1/x.bin": b"\1"})
    found = [name for name, differing in all_differences(before, after).items() if differing]
    assert found == ["walk/evaluate SHA-256 of published files"]


def trained(text, prior, model=b"trees", bundle="0123456789abcdef"):
    """What a training published, whose manifest holds a sentence."""
    manifest = json.dumps({"id": bundle, "reason": text, "prior": prior}).encode()
    published = {"bundle 1/manifest.json": manifest, "bundle 1/model.bin": model}
    made = {command.name: Outcome(0, {"bundle": bundle}) for command in CHAINS["stack"]}
    return {"stack": made | {"train": Outcome(0, {"id": bundle, "bundle": f"bundles/{bundle}"}, published=published)}}


OLD = trained("none of 3 votes", 0.5)


def test_a_bundle_of_another_name_by_wording_alone_is_told_from_one_of_other_content():
    other = "fedcba9876543210"
    found = all_differences(OLD, trained("of 3 votes none", 0.5, bundle=other))
    assert sum(map(len, found.values())) == 8
    assert not any(figures(OLD, trained("of 3 votes none", 0.5, bundle=other), found).values())
    for new, where in (
        (trained("none of 3 votes", 0.6, bundle=other), ["stack/train bundle 1/manifest.json"]),
        (trained("none of 3 votes", 0.5, b"other trees", other), ["stack/train SHA-256 of published files"]),
    ):
        found = figures(OLD, new, all_differences(OLD, new))
        assert [name for name, differing in found.items() if differing] == where


def test_another_id_than_that_of_the_bundle_in_its_place_is_a_figure():
    new = trained("none of 3 votes", 0.5)
    new["stack"]["backtest"] = Outcome(0, {"bundle": "fedcba9876543210"})
    assert figures(OLD, new, all_differences(OLD, new))["stack/backtest --json"]


@pytest.fixture
def checkouts(tmp_path):
    """Two copies of the package as checkouts."""
    package = Path(quorate.__file__).parent
    for name in ("old", "new"):
        shutil.copytree(package, tmp_path / name / "src" / "quorate")
    return tmp_path


def run_compare(folder):
    python = ("--old-python", sys.executable, "--new-python", sys.executable)
    return compare.main([str(folder / "old"), str(folder / "new"), *python, "--chain", "data"])


def change_start(checkout):
    synthetic = checkout / "src/quorate/market/synthetic.py"
    text = synthetic.read_text()
    assert text.count("start: int = 1_704_067_200_000") == 1
    synthetic.write_text(text.replace("start: int = 1_704_067_200_000", "start: int = 1_704_070_800_000"))


def test_equal_checkouts_are_equal_and_one_constant_is_seen(checkouts, capsys):
    with (checkouts / "new/src/quorate/cli/app.py").open("a") as file:
        file.write("\n# The sources differ, and nothing that they do.\n")
    assert run_compare(checkouts) == 0
    assert "10 documents, 0 differences" in capsys.readouterr().out
    change_start(checkouts / "new")
    assert run_compare(checkouts) == 1
    assert "DIFFERS  data/check --json" in capsys.readouterr().out


def test_a_checkout_whose_interpreter_imports_another_package_is_refused(tmp_path, capsys):
    (tmp_path / "src" / "quorate").mkdir(parents=True)
    (tmp_path / "src" / "quorate" / "__init__.py").write_text("__file__ = '/elsewhere/quorate/__init__.py'\n")
    assert compare.main([str(tmp_path), str(tmp_path), "--old-python", sys.executable]) == 2
    assert "imports /elsewhere" in capsys.readouterr().out
    assert store.main([str(tmp_path / "nothing")]) == 2


def test_wording_may_be_stored_anew_and_figures_may_not(capsys):
    before = outcome(about="3 of 4 members agree", n=3)
    assert not store.refused(before, outcome(about="3 members of 4 agree", n=3))
    assert store.refused(before, outcome(about="3 members of 4 agree", n=4))
    assert "walk/evaluate --json n: 3 -> 4" in capsys.readouterr().out
