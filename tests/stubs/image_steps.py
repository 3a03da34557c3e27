"""The steps of a Dockerfile as a shell script for a clean root folder, with the packages of this environment."""

import shlex
import shutil
import tomllib
from pathlib import Path

from stubs.dockerfile import links, required

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def steps(stage):
    """The commands of a stage, in order."""
    return [part.strip() for run in stage.all("RUN") for part in run.split("&&")]


def quoted(*words):
    return shlex.join(map(str, words))


def build_script(build, copied, install):
    """The build: what is copied, and its commands; `install` stands in place of the one that installs Quorate."""
    folder, variables = build.one("WORKDIR"), map("=".join, build.environment().items())
    path = ("PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root")
    inside = f'chroot "$ROOT" /usr/bin/env -i {quoted(*path, *variables)} /bin/sh -ec '
    commands = [one for step in steps(build) for one in (install if "pip install" in step else [step])]
    run = [inside + quoted(f"cd {folder} && {one}") for one in commands]
    return "\n".join([f'mkdir -p "$ROOT"{folder}', *copied, *run])


def offline_build(build, extras, made):
    """The build, with the packages of this environment, linked; pip finds nothing to add to them.

    Args:
        build: the stage.
        extras: of Quorate that it installs.
        made: a wheel of Quorate.
    """
    site = Path(shutil.__file__).parent  # of the interpreter, only to name its version
    packages = f"opt/quorate/lib/{site.name}/site-packages"
    found = links(required(PROJECT, *extras))
    (install,) = [step for step in steps(build) if "pip install" in step]
    copied = [f'cp {quoted(ROOT / name)} "$ROOT/build/"' for name in ("constraints.txt", "pyproject.toml")]
    copied += [f'cp {quoted(made)} "$ROOT/build/"']
    for home in sorted({path.parent for path in found}):
        copied += [f'mkdir -p "$ROOT"{quoted(home)}', f'mount --bind {quoted(home)} "$ROOT"{quoted(home)}']
    named = f"[{','.join(extras)}]"
    offline = install.replace(f'".{named}"', f'--no-index "/build/{made.name}{named}"')
    assert offline != install
    # A new environment has a setuptools of its own.
    linking = f"cd /{packages} && rm -rf {quoted(*(path.name for path in found))} && ln -s {quoted(*found)} ."
    return build_script(build, copied, [linking, offline])


def as_user(image):
    """Begins a command as the image's user, with its environment and in its folder."""
    variables = image.environment()
    variables["PATH"] = variables["PATH"].replace("$PATH", "/usr/local/bin:/usr/bin:/bin")
    in_folder = quoted("/bin/sh", "-c", f'cd {image.one("WORKDIR")} && exec "$@"', "sh")
    environment = quoted(*map("=".join, variables.items()))
    return f'chroot --userspec=10001:10001 "$ROOT" /usr/bin/env -i {environment} {in_folder}'


def volume_script(state):
    """A volume of what a user brings, and from then on a root file system that is read-only."""
    return [
        'rm -rf "$ROOT/build" && mkdir "$ROOT/volume" && mount -t tmpfs tmpfs "$ROOT/volume"',
        # A volume begins as the image's folder; the user then copies a bundle and candles into it.
        'cp -a "$ROOT/state/." "$ROOT/volume/"',
        f'cp -r {quoted(state)}/. "$ROOT/volume/" && chown -R 10001:10001 "$ROOT/volume"',
        'mount --move "$ROOT/volume" "$ROOT/state" && mount -o remount,ro "$ROOT"',
        'touch "$ROOT/opt/written" 2>&1 || true',
    ]
