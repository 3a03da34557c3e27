"""The newest decision of a bot, kept over a restart."""

from quorate.integrations.freqtrade.book.book_decision import BookDecision, DecisionFile

DECISION = BookDecision(1_722_211_200_000, "5cb3a6e9d1186f1f", 1_000.5, {"BTC/USDT:USDT": -0.01, "ETH/USDT:USDT": 0.0})


def test_a_decision_is_read_as_it_was_written(tmp_path):
    file = DecisionFile(tmp_path / "quorate" / "book-dry_run-freqtrade.json")
    assert file.read() is None
    file.write(DECISION)
    assert file.read() == DECISION


def test_a_damaged_file_is_no_decision(tmp_path, caplog):
    path = tmp_path / "book.json"
    for content in ("", "[1]", DECISION.text().replace("-0.01", '"much"'), DECISION.text()[:40]):
        path.write_text(content)
        assert DecisionFile(path).read() is None
    assert caplog.text.count("decides anew") == 4
