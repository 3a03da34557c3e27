"""The check of the panel: each provider is asked once, and the ledger has the cost."""

from dataclasses import replace

import pytest

from quorate.core.errors import ArgumentError
from quorate.core.settings import LLMSettings, ProviderSettings, Settings
from quorate.llm.client import PanelLedger
from quorate.workflows.panel_check import check_panel
from stubs.chat_server import chat_server


def test_each_provider_is_asked_once_and_the_cost_is_of_a_day_of_bars(tmp_path):
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    with chat_server() as server:
        good = ProviderSettings(server.url, "good", name="local", usd_per_million_in=1.0, usd_per_million_out=10.0)
        llm = LLMSettings(technical=good, risk=replace(good, model="no schema"), sentiment=replace(good, model="nan"))
        ledger = PanelLedger.open(url, usd_per_day=1.0, failures=1, rest_s=3_600.0)
        ledger.settle(ledger.admit("local", "good", 0.0), 0.0, "status 500")  # it rests
        found = check_panel(url, settings=replace(Settings(), llm=llm))
    assert [(role, asked.form, asked.requests) for role, asked in found.asked.items()] == [
        ("technical", "schema", 1),
        ("risk", "object", 2),
        ("sentiment", "schema", 1),
    ]
    assert not found.ok
    assert "NaN" in found.asked["sentiment"].reason
    # 1,000 tokens of the prompt at $1 and 100 of the reply at $10 a million, three times.
    assert found.usd_a_bar == found.usd_today == pytest.approx(0.006)
    assert found.usd_a_day("1h") == pytest.approx(24 * 0.006)
    assert found.usd_a_day("4h") == pytest.approx(6 * 0.006)
    assert found.to_json()["roles"]["sentiment"]["reply"] is None


def test_without_a_provider_there_is_nothing_to_check(tmp_path):
    with pytest.raises(ArgumentError, match="no provider in the settings"):
        check_panel(f"sqlite:///{tmp_path / 'journal.sqlite'}", settings=Settings())
    assert not list(tmp_path.iterdir())
