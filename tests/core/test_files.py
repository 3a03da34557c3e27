"""Atomic file writes."""

import pytest

from quorate.core.errors import DataError
from quorate.core.files import write_atomic, write_text_atomic


def test_a_file_is_written_with_its_folders_and_replaced(tmp_path):
    path = tmp_path / "a" / "b" / "x.txt"
    write_text_atomic(path, "ä")
    write_text_atomic(path, "second")
    assert path.read_text(encoding="utf-8") == "second"
    assert [child.name for child in path.parent.iterdir()] == ["x.txt"]


def test_whatever_goes_wrong_the_old_file_stays_and_no_other(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def full(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    def interrupted(temporary):
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(DataError, match="No space left on device"):
        write_atomic(path, full)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, interrupted)
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["x.txt"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected a writable folder"):
        write_text_atomic(tmp_path / "file" / "x.txt", "text")
