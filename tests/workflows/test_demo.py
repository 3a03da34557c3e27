"""The demo as a function, on a small market."""

import pytest

from quorate.core.errors import ArgumentError, DataError
from quorate.workflows.demo import demo


@pytest.mark.integration
def test_the_demo_trains_evaluates_and_writes_the_report(monkeypatch, tmp_path, calls, capsys):
    for name in ("NHITS", "PATCHTST"):
        monkeypatch.setenv(f"QUORATE_MODELS__{name}__WINDOW", "24")
        monkeypatch.setenv(f"QUORATE_MODELS__{name}__EPOCHS", "1")
    made = demo(tmp_path / "demo", seed=3, edge=0.3, symbols=2, bars=1_050, progress=calls)
    assert capsys.readouterr().out == ""
    assert made.page == tmp_path / "demo" / "report.html"
    assert "SYNTHETIC" in made.page.read_text()
    document = made.to_json()
    assert (document["synthetic"], document["seed"], document["edge"]) == (True, 3, 0.3)
    assert document["train"]["id"] == document["evaluate"]["bundle"] == made.trained.id
    assert [signal["symbol"] for signal in document["signals"]] == ["SYNA/USDT:USDT", "SYNB/USDT:USDT"]
    assert document["evaluate"]["provenance"]["command"] == "quorate.demo(...)"
    assert document["evaluate"]["provenance"]["ledger"] == str(tmp_path / "demo" / "trials.jsonl")
    assert calls.calls[0] == ("generating the market", 2, 2)
    assert calls.calls[-1] == ("training and trading two books", 2, 2)
    for shown in (str(made), made._repr_html_()):
        assert "SYNTHETIC MARKET" in shown
        assert "class prior on the same rows" in shown
    assert "ensemble" in made.to_pandas().index


def test_arguments_out_of_range_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"`edge` = 0\.9"):
        demo(tmp_path / "demo", edge=0.9)
    with pytest.raises(ArgumentError, match="use `out`"):
        demo(None)
    assert not (tmp_path / "demo").exists()
