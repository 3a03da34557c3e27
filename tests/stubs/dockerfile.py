"""Steps of a Dockerfile, and a clean root folder in which they are run for real, without a container engine.

The root folder has the system's programs read-only, the interpreter of the tests in /usr/local, as Python's images have
it, and nothing else. It needs the right to mount.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement


@dataclass(frozen=True)
class Stage:
    """A stage of a build: the image it begins with, and its instructions with their arguments."""

    base: str
    steps: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        return [arguments for name, arguments in self.steps if name == instruction]

    def one(self, instruction: str) -> str:
        (found,) = self.all(instruction)
        return found

    def environment(self) -> dict[str, str]:
        pairs = [word.partition("=") for line in self.all("ENV") for word in shlex.split(line)]
        return {name: value for name, _, value in pairs}


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, arguments = line.partition(" ")
        if name == "FROM":
            found.append((arguments, []))
        else:
            found[-1][1].append((name, arguments.strip()))
    return [Stage(base, tuple(steps)) for base, steps in found]


def command(arguments: str) -> list[str]:
    """A command in the form of a list, such as CMD ["serve"]; HEALTHCHECK has its options before."""
    return json.loads(arguments[arguments.index("[") :])


def required(project: dict[str, object], *extras: str) -> dict[str, str]:
    """Distributions that a project and its extras need in all: name -> version that is installed here."""
    optional: dict[str, list[str]] = project["optional-dependencies"]  # type: ignore[assignment]
    lines: list[str] = [*project["dependencies"], *(line for extra in extras for line in optional[extra])]  # type: ignore[misc]
    todo, found = [Requirement(line) for line in lines], {}
    while todo:
        asked = todo.pop()
        if asked.name == project["name"]:
            todo += [Requirement(line) for extra in asked.extras for line in optional[extra]]
            continue
        try:
            own = distribution(asked.name)
        except PackageNotFoundError:
            continue  # of another system
        name = own.metadata["Name"].lower().replace("_", "-").replace(".", "-")
        if name in found and not asked.extras:
            continue
        found[name] = own.version
        needs = [Requirement(line) for line in own.requires or ()]
        choices = ("", *asked.extras)
        todo += [
            need for need in needs if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in choices)
        ]
    return found


def links(names: dict[str, str]) -> list[Path]:
    """Files and folders of installed distributions, at the top of the packages' folder."""
    found = set()
    for name in names:
        own = distribution(name)
        tops = {path.parts[0] for path in own.files or () if not path.parts[0].startswith(("..", "__pycache__"))}
        found |= {Path(str(own.locate_file(top))) for top in tops}
    return sorted(found)


_MOUNT = """
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$ROOT"
cd "$ROOT"
mkdir -p usr etc dev tmp opt proc root
chmod 1777 tmp
mount --bind /usr usr && mount -o remount,ro,bind usr
for name in bin sbin lib lib32 lib64; do
    if [ -L "/$name" ]; then cp -P "/$name" "$name"
    elif [ -d "/$name" ]; then mkdir "$name" && mount --bind "/$name" "$name"
    fi
done
if [ "$PREFIX" != /usr/local ]; then
    # Where it was built too: there it looks for its library.
    mkdir -p "$ROOT$PREFIX"
    for place in usr/local "$ROOT$PREFIX"; do mount --bind "$PREFIX" "$place" && mount -o remount,ro,bind "$place"; done
fi
for name in null zero urandom random; do touch "dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
mount -t proc proc proc
printf 'root:x:0:0:root:/root:/bin/sh\\n' > etc/passwd
printf 'root:x:0:\\n' > etc/group
printf 'root:*:0:0:99999:7:::\\n' > etc/shadow
printf 'root:*::\\n' > etc/gshadow
cp /etc/ld.so.cache /etc/nsswitch.conf /etc/login.defs etc/ 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts etc/
ip link set lo up
"""


class CleanRoot:
    """A root folder that exists while a script runs in it.

    Args:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def run(self, script: str, *, network: bool = False, timeout: float = 170) -> subprocess.CompletedProcess[str]:
        """Run a shell script as root, outside the folder and with its name in $ROOT.

        Args:
            script: uses `chroot "$ROOT"`.
            network: with the machine's network; else with a loopback device of its own only.
            timeout: in seconds.
        """
        # With a list of processes of its own: whatever the script leaves ends with it.
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *(() if network else ("--net",))]
        prepared = _MOUNT if not network else _MOUNT.replace("ip link set lo up\n", "")
        kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        return subprocess.run(
            [*apart, "/bin/sh", "-c", prepared + script],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": str(self.folder), "PREFIX": sys.base_prefix, **kept},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def can_mount() -> bool:
    """Whether this process may make a root folder."""
    probe = [
        "unshare",
        "--mount",
        "--pid",
        "--net",
        "--fork",
        "sh",
        "-c",
        "mount -t tmpfs tmpfs /mnt && ip link set lo up",
    ]
    return os.geteuid() == 0 and subprocess.run(probe, capture_output=True, check=False).returncode == 0
