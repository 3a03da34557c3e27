"""`quorate mcp` over real standard streams, asked by the protocol's own client."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.cli.app import main
from quorate.integrations.mcp.tools import TOOLS
from quorate.market.synthetic import SyntheticMarket

from .conftest import NOTE, PAPER_BARS, TRAIN_BARS, VARIABLES


def only(answers):
    (answer,) = answers
    assert not answer.is_error, answer.content[0].text
    return answer.structured_content


def refused(answers):
    (answer,) = answers
    assert answer.is_error
    assert json.loads(answer.content[0].text) == answer.structured_content
    error = answer.structured_content["error"]
    assert set(error) == {"type", "attempted", "found", "expected", "remedy"}
    return error


@pytest.fixture(scope="module")
def answers(ask):
    """Of each tool without arguments: what most tests look at, from one conversation."""
    return dict(zip(TOOLS, ask(*TOOLS), strict=True))


@pytest.fixture
def printed(world, capsys, monkeypatch):
    """The document that a command line prints."""
    monkeypatch.chdir(world.folder)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_tools_are_listed_with_their_schemas(ask):
    async def talk(client):
        return client.server_info, client.instructions, await client.list_tools()

    info, instructions, listed = ask(talk=talk)
    assert info.name == "quorate"
    assert "only read" in instructions
    tools = {tool.name: tool for tool in listed.tools}
    assert set(tools) == set(TOOLS) == {"signals", "evaluation_summary", "journal", "status", "bundles"}
    for tool in tools.values():
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"
        assert set(tool.output_schema["required"]) <= set(tool.output_schema["properties"])
    for name in ("journal", "status", "bundles", "evaluation_summary"):
        assert "never instructions" in tools[name].description


def test_signals_are_those_of_the_command_line(answers, world, printed):
    found = only([answers["signals"]])
    files = ("--bundle", world.folder / "bundles", "--data", world.folder / "data")
    assert found["signals"] == printed("signal", *files, *world.market.names)
    assert found["bundle"] == world.ids[0]
    assert found["mode"] == "full"
    assert found["stale"] is True, "the synthetic market ended long ago"
    assert found["left_out"] == 0
    assert [vote["model"] for vote in found["signals"][0]["votes"]] == ["xgboost", "lightgbm"]


def test_signals_of_one_market_by_another_bundle(ask, world):
    asked = {"symbols": [world.market.names[1]], "bundle": world.ids[1]}
    found = only(ask(("signals", asked)))
    assert found["bundle"] == world.ids[1]
    assert [signal["symbol"] for signal in found["signals"]] == [world.market.names[1]]


def test_evaluation_and_what_training_promised(ask, answers, world, printed):
    whole = json.loads((world.folder / "evaluation.json").read_text())
    found = only([answers["evaluation_summary"]])
    (summary,) = found["evaluations"]
    for name in ("bundle", "rows", "criteria", "warnings"):
        assert summary[name] == whole[name]
    assert summary["ensemble"]["log_loss"] == whole["ensemble"]["log_loss"]
    assert summary["ensemble"]["log_loss_ci"] == whole["ensemble"]["log_loss_ci"]
    assert summary["baselines"]["prior"]["log_loss"] == whole["baselines"]["prior"]["log_loss"]
    assert "gates" not in summary
    assert len(json.dumps(found)) < 40_000 < len(json.dumps(whole))
    shown = printed("bundle", "show", "--bundles", world.folder / "bundles")
    assert found["training"]["id"] == shown["id"] == world.ids[0]
    assert found["training"]["training_span"] == shown["training_span"]
    figures = shown["metrics"]["xgboost"]
    assert all(part.pop("reliability") for part in figures.values())  # bins, a table
    assert found["training"]["metrics"]["xgboost"] == figures
    other = only(ask(("evaluation_summary", {"bundle": world.ids[1]})))
    assert other["evaluations"] == []
    assert other["training"]["id"] == world.ids[1]


def test_journal_is_that_of_the_command_line(ask, answers, world, printed):
    journal = ("--journal", world.account.url)
    everything = printed("paper", "journal", *journal, "--all")
    found = only([answers["journal"]])
    assert found["account"] == "paper"
    assert found["records"] == everything[-20:]
    after, symbol, day = everything[-4]["seq"], world.market.names[1], everything[-1]["time"][:10]
    searches = (
        ({"kinds": ["decided"], "last": 200}, lambda record: record["kind"] == "decided"),
        ({"after": after}, lambda record: record["seq"] > after),
        ({"before": after, "symbol": symbol}, lambda record: record["seq"] < after and record["symbol"] == symbol),
        ({"start": day}, lambda record: record["time"] >= day),
        ({"end": day, "kinds": ["valued"]}, lambda record: record["time"] < day and record["kind"] == "valued"),
        ({"text": "LightGBM"}, lambda record: "lightgbm" in json.dumps(record["body"])),
    )
    for (asked, fits), answer in zip(searches, ask(*(("journal", asked) for asked, _ in searches)), strict=True):
        expected = list(filter(fits, everything))[-asked.get("last", 20) :]
        assert expected
        assert only([answer])["records"] == expected, asked


def test_status_is_that_of_the_command_line(answers, world, printed):
    found = only([answers["status"]])
    assert found == printed("paper", "status", "--journal", world.account.url)
    assert found["decisions"]["bars"] == 2 * PAPER_BARS


def test_bundles_are_those_of_the_command_line(ask, answers, world, printed):
    listed = printed("bundle", "list", "--bundles", world.folder / "bundles")
    assert only([answers["bundles"]]) == {"champion": world.ids[0], "left_out": 0, "bundles": listed}
    newest = only(ask(("bundles", {"last": 1})))
    assert (newest["left_out"], newest["bundles"]) == (1, listed[-1:])


def snapshot(*folders):
    """Name -> time of change and content of each file; SQLite's shared memory holds who reads, and no record."""
    files = [
        path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"
    ]
    assert len(files) > 1
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_no_tool_changes_a_file(ask, world, interrupted):
    calls = [(name, {}) for name in TOOLS]
    calls += [("signals", {"symbols": ["NONE/USDT"]}), ("journal", {"last": 200}), ("bundles", {"nonsense": 1})]
    before = snapshot(world.folder, interrupted.parent)
    assert [answer.is_error for answer in ask(*calls)] == [False] * 5 + [True, False, True]
    assert snapshot(world.folder, interrupted.parent) == before

    files = ("--bundles", world.folder / "bundles", "--journal", f"sqlite:///{interrupted}")
    journal, status = ask("journal", "status", arguments=files)
    newest = journal.structured_content["records"][-1]
    assert (newest["kind"], newest["body"]["who"], newest["body"]["note"]) == ("human", "Eve", NOTE)
    assert [request["who"] for request in status.structured_content["requests"]] == ["Eve"]
    assert snapshot(world.folder, interrupted.parent) == before


REFUSALS = [
    (("signal", {}), {"found": "'signal'", "remedy": "Did you mean 'signals'?"}),
    (("signals", {"symbols": ["NONE/USDT:USDT"]}), {"type": "UnknownSymbolError"}),
    (("signals", {"symbols": []}), {"type": "ArgumentError", "attempted": "call the tool signals"}),
    (("signals", {"symbols": "SYNA/USDT:USDT"}), {"type": "ArgumentError"}),
    (("signals", {"symbols": ["A/USDT"] * 51}), {"type": "ArgumentError"}),
    (("signals", {"bundle": "../bundles"}), {"type": "BundleError", "found": "no such bundle"}),
    (("evaluation_summary", {"bundle": "/etc/passwd"}), {"type": "BundleError", "found": "no such bundle"}),
    (("journal", {"kinds": ["close"]}), {"found": "`kinds` 'close'", "remedy": "Did you mean 'closed'?"}),
    (("journal", {"start": "yesterday"}), {"type": "ArgumentError"}),
    (("journal", {"last": 201}), {"type": "ArgumentError"}),
    (("journal", {"last": "5"}), {"type": "ArgumentError"}),
    (("journal", {"last": 10**30}), {"type": "ArgumentError"}),
    (("status", {"account": "other"}), {"type": "ArgumentError", "expected": "arguments among none"}),
]


def test_a_refusal_says_what_to_do(ask):
    answers = ask(*(call for call, _ in REFUSALS))
    for (call, parts), answer in zip(REFUSALS, answers, strict=True):
        error = refused([answer])
        assert {name: error[name] for name in parts} == parts, call


def test_a_value_is_not_repeated(ask):
    error = refused(ask(("journal", {"last": "x" * 5_000, "y" * 5_000: 1})))
    assert all(len(text) < 300 for text in error.values())


def test_what_was_not_named_is_not_there(ask, world, tmp_path):
    bare = ("--bundles", tmp_path / "none", "--journal", f"sqlite:///{tmp_path / 'none.sqlite'}")
    errors = [answer.structured_content["error"] for answer in ask(*TOOLS, arguments=bare)]
    assert [error["type"] for error in errors] == [
        "ArgumentError", "BundleError", "UnknownAccountError", "UnknownAccountError", "BundleError",
    ]  # fmt: skip
    assert "--data FOLDER" in errors[0]["remedy"]
    assert list(tmp_path.iterdir()) == []


def test_an_evaluation_without_a_bundle_and_a_document_that_is_none(ask, world, tmp_path):
    evaluation = ("--bundles", tmp_path / "none", "--evaluation", world.folder / "evaluation.json")
    found = only(ask("evaluation_summary", arguments=evaluation))
    assert found["training"] is None
    assert len(found["evaluations"]) == 1
    (tmp_path / "list.json").write_text("[]")
    other = ("--bundles", world.folder / "bundles", "--evaluation", tmp_path / "list.json")
    error = refused(ask("evaluation_summary", arguments=other))
    assert (error["type"], error["found"]) == ("EvaluationError", "a list")


def test_bars_of_the_training_are_refused_unless_asked_for(ask, world, tmp_path):
    SyntheticMarket(seed=3, symbols=1, bars=TRAIN_BARS - 50, edge=0.3).write(tmp_path / "data")
    files = ("--bundles", world.folder / "bundles", "--data", tmp_path / "data")
    asked = {"symbols": [world.market.names[0]]}
    calls = (("signals", asked), ("signals", {**asked, "allow_training_span": True}))
    first, second = ask(*calls, arguments=files)
    assert first.structured_content["error"]["type"] == "TrainingSpanError"
    assert [signal["in_training_span"] for signal in second.structured_content["signals"]] == [True]


def message(number, method, parameters=None):
    sent = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
    return json.dumps({name: value for name, value in sent.items() if value is not None})


def test_nothing_but_the_protocol_is_on_standard_output(ask, command):
    """After lines that are no messages, half of a surrogate pair and NaN the server still answers, by messages only."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    half = message(2, "tools/call", {"name": "half", "arguments": {}}).replace("half", "\\ud800")
    lines = [
        message(1, "initialize", client),
        message(None, "notifications/initialized"),
        "no message at all",
        half,
        message(3, "tools/call", {"name": "journal", "arguments": {"last": float("nan")}}),
        message(4, "tools/call", {"name": "bundles"}),
    ]
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()", "--debug", "mcp", *map(str, command)]
    environment = {**os.environ, **VARIABLES}
    running = subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    running.stdin.write("".join(f"{line}\n" for line in lines))
    running.stdin.flush()
    messages = [json.loads(running.stdout.readline())]
    while messages[-1].get("id") != 4:
        messages.append(json.loads(running.stdout.readline()))
    rest, errors = running.communicate(timeout=30)
    assert running.returncode == 0, errors
    assert rest == ""
    assert all(message["jsonrpc"] == "2.0" for message in messages)
    assert messages[-1]["result"]["structuredContent"]["champion"]
    assert "DEBUG" in errors


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_it_waits(sent, command):
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()", "mcp", *map(str, command)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        running.stdin.write(message(1, "initialize", client) + "\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["id"] == 1
        running.send_signal(sent)
        assert running.wait(10) == -sent


def test_a_password_is_in_no_answer_and_no_log(ask, world):
    address = "postgresql://me:Canary7c1f9e2b@127.0.0.1:9/journal"
    answers = ask("journal", "status", arguments=("--bundles", world.folder / "bundles", "--journal", address))
    for answer in answers:
        error = refused([answer])
        assert error["type"] == "JournalUnavailableError"
        assert "127.0.0.1:9" in error["attempted"]
        assert "Canary" not in answer.content[0].text
    assert "Canary" not in ask.log.read_text()


def test_a_missing_package_is_named(tmp_path):
    code = "import sys; sys.modules['mcp'] = None\nfrom quorate.cli.app import run; run()"
    done = subprocess.run([sys.executable, "-c", code, "mcp"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "pip install 'quorate[mcp]'" in done.stderr
    assert done.stdout == ""


def test_the_configuration_of_the_page_starts_the_server(ask, world):
    page = (Path(__file__).parents[3] / "docs" / "assistants.md").read_text()
    (server,) = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])["mcpServers"].values()
    assert server["command"].endswith("/quorate")
    verb, *arguments = server["args"]
    assert verb == "mcp"
    here = {
        "/home/me/trading/user_data/data/binance": str(world.folder / "data"),
        "sqlite:////home/me/trading/paper/journal.sqlite": world.account.url,
    }
    named = [here.get(word, word.replace("/home/me/trading", str(world.folder))) for word in arguments]
    assert [answer.is_error for answer in ask(*TOOLS, arguments=named)] == [False] * 5
    listed = re.findall(r"^\| `(\w+)` \| (?:as|figures)", page, re.MULTILINE)
    assert listed == list(TOOLS)
    for name in listed:
        row = re.search(rf"^\| `{name}` \|.*\| (.*) \|$", page, re.MULTILINE)[1]
        assert set(re.findall(r"`(\w+)`", row)) == set(TOOLS[name].arguments.model_fields)
