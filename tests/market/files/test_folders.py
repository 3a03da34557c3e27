import pytest

from quorate.core.errors import DataError
from quorate.market.files.folders import entries, files_below, is_file, is_folder, require_folder


def test_what_lies_there(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b/c.csv").write_text("")
    (tmp_path / "b/d.txt").write_text("")
    assert entries(tmp_path) == [tmp_path / "a.csv", tmp_path / "b"]
    assert files_below(tmp_path, lambda path: path.suffix == ".csv") == [tmp_path / "a.csv", tmp_path / "b/c.csv"]
    assert (is_file(tmp_path / "a.csv"), is_file(tmp_path / "b"), is_file(tmp_path / "none")) == (True, False, False)
    assert (is_folder(tmp_path / "b"), is_folder(tmp_path / "a.csv"), is_folder(tmp_path / "none")) == (
        True,
        False,
        False,
    )
    assert require_folder(tmp_path) == tmp_path


@pytest.mark.parametrize("look", [entries, require_folder, lambda path: files_below(path, bool)])
@pytest.mark.parametrize(("name", "message"), [("none", "No such file"), ("file", "Not a directory"), ("a\0", "null")])
def test_what_the_system_refuses_names_the_path(tmp_path, look, name, message):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=message) as refusal:
        look(tmp_path / name)
    assert str(tmp_path) in str(refusal.value)


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(DataError, match="too long"):
        is_file(tmp_path / ("x" * 300))
