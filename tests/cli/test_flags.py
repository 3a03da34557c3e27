"""Argument names of the library as flags of the command line."""

import json

import pytest
import typer

from quorate.cli.app import app, main
from quorate.cli.flags import flags_of, with_flags

FLAGS = {"start": "--from", "allow_training_span": "--allow-training-span", "guards": "--guards"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`start` or later", "--from or later"),
        ("allow it with `allow_training_span=True`", "allow it with --allow-training-span"),
        ("`guards=False`", "--no-guards"),
        ("run `quorate paper run`", "run `quorate paper run`"),
        ("`start` before `unknown`", "--from before `unknown`"),
    ],
)
def test_names_in_backquotes_become_flags(text, shown):
    assert with_flags(text, FLAGS) == shown


def test_the_flags_are_those_of_the_command_that_was_run():
    root = typer.main.get_command(app)
    paper = flags_of(root, ["--debug", "paper", "journal", "--kind", "closed"])
    assert (paper["kinds"], paper["url"], paper["start"], paper["end"]) == ("--kind", "--journal", "--from", "--to")
    assert flags_of(root, ["evaluate"])["rolling"] == "--rolling"


def test_wrong_usage_ends_with_2_and_is_json_too(capsys):
    assert main(["evaluate", "--data", "d", "--symbols", "A", "--top", "3", "--from", "2024-01-01", "--json"]) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["type"] == "ArgumentError"
    assert error["expected"] == "either --symbols or --top"
    assert "either --symbols or --top" in err
