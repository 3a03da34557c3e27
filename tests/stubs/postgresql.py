"""Temporary PostgreSQL server: the installed program with its own data folder, unix socket and loopback port.

PostgreSQL refuses to run as root, so root runs it as Debian's user `postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

USER = "quorate"
UNPRIVILEGED = "postgres"


def programs() -> Path | None:
    """Folder of the programs of the newest installed server; None if there is none."""
    found = {
        int(path.parent.parent.name): path.parent for path in Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    }
    return found[max(found)] if found else None


@dataclass
class PostgreSQL:
    """A running server."""

    folder: Path
    port: int
    _numbers: Iterator[int]

    def database(self) -> str:
        """Create an empty database; return its URL."""
        name = f"journal_{next(self._numbers)}"
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name)
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        # Tests kill processes, not the machine, so data need not reach the disk.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.data), "-l", log, "-w", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server; after `immediate` it recovers at the next start, as after a crash."""
        self.run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def require_password(self, password: str) -> None:
        """From now on ask every program that comes by the network for a password, which is USER's."""
        # The file keeps its owner, as whom the server reads it.
        (self.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        by_socket = ("-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", "postgres", "-c")
        self.run("psql", *by_socket, f"ALTER USER {USER} PASSWORD '{password}'")
        self.run("pg_ctl", "-D", str(self.data), "reload")

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, program: str, *arguments: str) -> None:
        folder = programs()
        assert folder is not None
        done = subprocess.run(
            [str(folder / program), *arguments],
            cwd=self.folder,
            user=UNPRIVILEGED if os.geteuid() == 0 else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout


def _root() -> str:
    """Folder in memory if there is room, since the server's many files slow down other tests on the disk."""
    shared = "/dev/shm"
    return shared if Path(shared).is_dir() and shutil.disk_usage(shared).free > 2**31 else "/tmp"


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Run a server until the block ends, then remove its files."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="quorate-postgresql-", dir=_root()))
    server = PostgreSQL(folder, port, count(1))
    try:
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(UNPRIVILEGED).pw_uid, -1)
        server.run("initdb", "--no-sync", "-A", "trust", "-U", USER, "-E", "UTF8", "-D", str(server.data))
        server.start()
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)
