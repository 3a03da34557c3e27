import signal
import subprocess
import sys
import threading
import time

import pytest

from quorate.core.errors import DataError
from quorate.core.folder_lock import folder_lock

HOLD = """
import sys, time
from pathlib import Path
from quorate.core.folder_lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_folder_is_created_and_nothing_is_left_in_it(tmp_path):
    with folder_lock(tmp_path / "new" / "folder"):
        pass
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_another_process_keeps_us_out(tmp_path, holder):
    with pytest.raises(DataError, match="another process"), folder_lock(tmp_path, wait_s=0.1):
        pass


def test_the_lock_ends_with_a_killed_process(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    with folder_lock(tmp_path, wait_s=10):
        pass


def test_a_thread_takes_it_again_and_other_threads_wait(tmp_path):
    order = []

    def other():
        with folder_lock(tmp_path):
            order.append("other")

    with folder_lock(tmp_path), folder_lock(tmp_path):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_it_is_released_after_an_error(tmp_path):
    with pytest.raises(KeyError), folder_lock(tmp_path):
        raise KeyError
    with folder_lock(tmp_path, wait_s=0):
        pass


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file"), folder_lock(tmp_path / "file"):
        pass
