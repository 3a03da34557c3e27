"""Named pipes, devices and sockets in place of files: refused at once, by readers and writers."""

import os
import socket
import stat

import pytest

from quorate.core.errors import DataError
from quorate.core.files import write_text_atomic
from quorate.core.regular_files import open_to_append, open_to_lock, read_regular, read_regular_text


@pytest.fixture(params=["pipe", "device", "socket", "folder"])
def place(request, tmp_path):
    path = tmp_path / "place"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # as /dev/zero, which has no end
        except PermissionError:
            pytest.skip("only the superuser makes devices")
    elif request.param == "socket":
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(path))
        with bound:
            yield path
        return
    else:
        path.mkdir()
    yield path


@pytest.mark.parametrize("through_link", [False, True])
@pytest.mark.parametrize("use", [read_regular, read_regular_text, open_to_append, open_to_lock])
def test_they_are_not_opened(place, use, through_link, tmp_path):
    path = place
    if through_link:
        path = tmp_path / "link"
        path.symlink_to(place)
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
        use(path)


@pytest.mark.parametrize("through_link", [False, True])
def test_they_are_not_replaced(place, through_link, tmp_path):
    path = place
    if through_link:
        path = tmp_path / "link"
        path.symlink_to(place)
    before = place.lstat()
    with pytest.raises(DataError, match=r"not a regular file|Is a directory"):
        write_text_atomic(path, "text")
    assert (place.lstat().st_mode, place.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert path.is_symlink() == through_link
    assert {one.name for one in tmp_path.iterdir()} == {"place", *(["link"] if through_link else [])}


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_names_that_no_file_can_have(tmp_path, name):
    with pytest.raises(OSError, match="a name that no file can have"):
        read_regular(tmp_path / name)
    with pytest.raises(DataError, match="a name that no file can have"):
        write_text_atomic(tmp_path / name, "text")


def test_a_file_above_the_limit_is_not_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="a file of 5 bytes, more than 4"):
        read_regular(path, 4)


def test_files_are_opened_to_append_and_created(tmp_path):
    for _ in range(2):
        descriptor = open_to_append(tmp_path / "x")
        os.write(descriptor, b"a")
        os.close(descriptor)
    assert read_regular_text(tmp_path / "x") == "aa"
