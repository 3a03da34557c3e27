"""Temporary files of killed writers are removed by the next write; those in use and files of others are not."""

import os
import time

from quorate.core.files import write_text_atomic


def test_only_old_temporary_files_of_the_same_file_are_removed(tmp_path):
    old = time.time() - 7_200
    names = {
        ".report.html.0123456789ab": old,
        ".report.html.ba9876543210": time.time(),
        ".report.html.backup": old,
        ".other.html.0123456789ab": old,
        "report.html.0123456789ab": old,
    }
    for name, modified in names.items():
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (modified, modified))
    write_text_atomic(tmp_path / "report.html", "new")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names, "report.html"} - {".report.html.0123456789ab"}
