"""Copies of a journal between databases: equal rows, and sessions that resume from the copy."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from quorate.core.errors import JournalError, JournalTakenError
from quorate.trading.journal import copy as journal_copy


@pytest.fixture
def other(request, url, tmp_path):
    """A URL in the other database."""
    if url.startswith("sqlite"):
        return request.getfixturevalue("server").database()
    return f"sqlite:///{tmp_path / 'copy' / 'journal.sqlite'}"


def rows(url):
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)
    with engine.connect() as connection:
        journal = connection.execute(text("SELECT * FROM journal ORDER BY seq")).all()
        return journal, connection.execute(text("SELECT * FROM accounts ORDER BY name")).all()


def test_every_row_is_copied_as_it_is_and_the_account_goes_on(url, other, open_journal, batch, monkeypatch):
    monkeypatch.setattr(journal_copy, "_PAGE", 4)
    for account in ("one", "two"):
        with open_journal(url, account, settings_hash="s", bundle_id="b") as journal:
            for bar in range(3):
                journal.append(batch(bar))
    assert journal_copy.copy(url, other) == 18
    assert rows(other) == rows(url)
    with open_journal(other, "one") as journal:
        assert journal.append(batch(3)) > 18
        assert [entry.record for entry in journal.read()] == [record for bar in range(4) for record in batch(bar)]
    with pytest.raises(JournalError, match="the account 'one' in it"):
        journal_copy.copy(url, other)


def test_an_empty_journal_is_copied_too(url, other, open_journal):
    open_journal(url).close()
    assert journal_copy.copy(url, other) == 0
    assert open_journal(other).append([]) == 0


def test_a_journal_in_use_is_not_copied(url, other, open_journal, batch):
    journal = open_journal(url)
    journal.append(batch(1))
    with pytest.raises(JournalTakenError):
        journal_copy.copy(url, other, journal_copy.JournalSettings(patience_s=0.1))
    journal.close()
    assert journal_copy.copy(url, other) == 3
