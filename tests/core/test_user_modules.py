"""Python files that the settings name."""

import hashlib
import pickle
import sys

import pytest

from quorate.core.errors import FeatureError, SettingsError
from quorate.core.user_modules import load_user_module, source_digest


def write(folder, text, name="mine.py"):
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_a_file_is_executed_once_whatever_its_path_is_written_like(tmp_path, monkeypatch):
    counter = tmp_path / "counter"
    path = write(tmp_path, f"with open({str(counter)!r}, 'a') as file:\n    file.write('x')\n")
    first = load_user_module(path, "features.modules")
    monkeypatch.chdir(tmp_path)
    assert load_user_module("mine.py", "features.modules") is first
    assert load_user_module(tmp_path / "." / "mine.py", "features.modules") is first
    assert counter.read_text() == "x"


def test_the_digest_is_of_what_was_executed(tmp_path):
    path = write(tmp_path, "a = 1\r\nb = 2\n")
    loaded = load_user_module(path, "features.modules")
    write(tmp_path, "a = 3\n")
    assert loaded.digest == load_user_module(path, "features.modules").digest
    assert loaded.digest == hashlib.sha256(b"a = 1\nb = 2\n").hexdigest() == source_digest(b"a = 1\nb = 2\n")
    assert (loaded.name, loaded.path, loaded.module.a) == ("mine.py", path, 1)


def test_two_files_of_one_name_are_two_modules(tmp_path):
    paths = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        paths.append(write(tmp_path / folder, f"place = {folder!r}\nclass Thing: pass\nthings = [Thing()]\n"))
    one, two = (load_user_module(path, "features.modules") for path in paths)
    assert (one.module.place, two.module.place) == ("one", "two")
    thing = pickle.loads(pickle.dumps(one.module.things[0]))
    assert type(thing) is one.module.Thing is not two.module.Thing
    assert one.module.things[0] in list(one.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_library\n", ["ModuleNotFoundError", "no_such_library", "line 1"]),
        ("a = 1\nb = a / 0\n", ["ZeroDivisionError", "line 2"]),
        ("def broken(:\n", ["SyntaxError", "line 1"]),
    ],
)
def test_a_file_that_fails_is_refused_by_name_and_line(tmp_path, text, words):
    path = write(tmp_path, text)
    before = set(sys.modules)
    for _ in range(2):  # it fails each time: nothing of it stays behind
        with pytest.raises(SettingsError, match=r"load mine\.py, which the setting features\.modules names") as refused:
            load_user_module(path, "features.modules")
        for word in words:
            assert word in str(refused.value)
    assert not [name for name in set(sys.modules) - before if name.startswith("quorate_user")]


def test_an_error_of_ours_arrives_as_it_is(tmp_path):
    lines = ("from quorate.features.own import feature", "@feature(warmup=-1)", "def mine(bars): ...", "")
    with pytest.raises(FeatureError, match="a warm-up of -1"):
        load_user_module(write(tmp_path, "\n".join(lines)), "features.modules")


def test_a_missing_file_is_refused_with_its_whole_path(tmp_path):
    with pytest.raises(SettingsError, match=r"gone\.py: No such file.*folder of quorate\.toml"):
        load_user_module(tmp_path / "gone.py", "features.modules")
