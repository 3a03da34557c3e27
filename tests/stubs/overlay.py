"""Freqtrade's environment without Quorate: a new environment with links to the packages of the original."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from stubs import freqtrade

# Prints the distributions that Freqtrade requires, directly or indirectly, and the locations of their files.
_CLOSURE = """
import json, sys
from importlib.metadata import PackageNotFoundError, distribution
from packaging.requirements import Requirement
found, todo = {}, [Requirement(name) for name in sys.argv[1:]]
while todo:
    asked = todo.pop()
    name = asked.name.lower().replace("_", "-").replace(".", "-")
    if name in found:
        continue
    try:
        own = distribution(asked.name)
    except PackageNotFoundError:
        continue
    tops = {path.parts[0] for path in own.files or () if not path.parts[0].startswith(("..", "__pycache__"))}
    found[name] = [str(own.locate_file("")), sorted(tops)]
    for line in own.requires or ():
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            todo.append(need)
print(json.dumps(found))
"""


class Overlay:
    """Environment with Freqtrade and without Quorate.

    Args:
        folder: folder of the new environment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        home = freqtrade.require()
        subprocess.run([home / "bin" / "python", "-m", "venv", folder], check=True, capture_output=True)
        ours = next(folder.glob("lib/python3.*/site-packages"))
        # `packaging` parses requirements; pip has the rest.
        listed = subprocess.run(
            [home / "bin" / "python", "-c", _CLOSURE, "freqtrade", "packaging"],
            check=True,
            capture_output=True,
            text=True,
        )
        for theirs, names in json.loads(listed.stdout).values():
            for name in names:
                if not (ours / name).exists():
                    (ours / name).symlink_to(Path(theirs) / name)

    def python(self, *arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run `python ARGUMENTS` in this environment, without the pins of the calling one."""
        own = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PYTHONPATH")}
        return subprocess.run(
            [self.folder / "bin" / "python", *map(str, arguments)],
            env={**own, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "1", "PIP_TIMEOUT": "10"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def freeze(self) -> dict[str, str]:
        """Name -> version of every package that pip lists."""
        done = self.python("-m", "pip", "list", "--format", "json")
        assert done.returncode == 0, done.stderr
        return {one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(done.stdout)}


def wheel(folder: Path) -> Path:
    """Build Quorate's wheel from this checkout; return its path."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return next(folder.glob("quorate-*.whl"))
