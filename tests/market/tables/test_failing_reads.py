"""Processes that end at once after a CSV table could not be read."""

import subprocess
import sys

import pytest

READ = """
import sys
from pathlib import Path
from quorate.core.errors import QuorateError
from quorate.market.tables.table_folder import read_table
try:
    read_table(Path(sys.argv[1]))
except QuorateError:
    sys.exit(1)
"""


@pytest.mark.integration
def test_they_exit_and_do_not_abort(tmp_path):
    path = tmp_path / "BTCUSDT-1h.csv"
    rows = [f"{1_704_067_200_000 + 3_600_000 * row},1.5,1.6,1.4,1.5,10\n" for row in range(60_000)]
    rows[3] = "1704078000000,1.5,x,1.4,1.5,10\n"
    path.write_text("open_time,open,high,low,close,volume\n" + "".join(rows))
    for _ in range(3):
        processes = [
            subprocess.Popen([sys.executable, "-c", READ, str(path)], stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        ended = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
        assert ended == [("", 1)] * 4
