"""Atomic file writes."""

import errno
import os
import stat
import subprocess
import sys

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


def test_links_are_followed_and_stay(tmp_path):
    (tmp_path / "far").mkdir()
    target, link, second, dangling = (tmp_path / name for name in ("far/x", "link", "second", "dangling"))
    target.write_text("old")
    link.symlink_to("far/x")
    second.symlink_to(link)
    dangling.symlink_to("far/new")
    write_text_atomic(second, "text")
    write_text_atomic(dangling, "made")
    assert link.is_symlink()
    assert second.is_symlink()
    assert dangling.is_symlink()
    assert target.read_text() == "text"
    assert (tmp_path / "far" / "new").read_text() == "made"
    assert sorted(one.name for one in (tmp_path / "far").iterdir()) == ["new", "x"]


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(DataError, match="symbolic links"):
        write_text_atomic(tmp_path / "a", "text")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_an_existing_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(mode)
    write_text_atomic(path, "new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", mode)


def test_a_new_file_has_the_mode_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text_atomic(tmp_path / "x", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser gives files away")
def test_an_existing_file_keeps_its_owner(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    os.chown(path, 12345, 54321)
    write_text_atomic(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_the_longest_names_are_written_and_longer_ones_refused(tmp_path):
    for name in ("x" * 255, "\u00e4" * 127):
        write_text_atomic(tmp_path / name, "text")
    with pytest.raises(DataError, match="File name too long"):
        write_text_atomic(tmp_path / ("x" * 256), "text")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    def run(text):
        program = (
            "import sys, resource, pathlib; from quorate.core.files import write_text_atomic;"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
            "write_text_atomic(pathlib.Path(sys.argv[1]), sys.argv[2])"
        )
        return subprocess.run([sys.executable, "-c", program, path, text], capture_output=True, text=True, check=False)

    path = tmp_path / "x"
    assert run("old").returncode == 0
    done = run("n" * 2000)
    assert done.returncode == 1
    assert "DataError" in done.stderr
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]

    def full(temporary):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DataError, match=r"a full disk .*Nothing was changed or lost\. Free space"):
        write_atomic(path, full)
