"""The service's image: each step of its Dockerfile is run in a clean root folder, and so is what it builds."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from stubs.dockerfile import command, required, stages
from stubs.image_steps import as_user, build_script, offline_build, quoted, steps, volume_script
from stubs.overlay import wheel

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker" / "service"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD, IMAGE = stages((FOLDER / "Dockerfile").read_text())
EXTRAS = ("serve", "paper")
TRAINING = {
    "torch",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "scikit-learn",
    "scipy",
    "pandas",
    "onnx",
    "skl2onnx",
}


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)


def test_both_stages_begin_with_one_pinned_image():
    assert BUILD.base.removesuffix(" AS build") == IMAGE.base
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", IMAGE.base)
    assert f"{IMAGE.base.partition(':')[2].split('.')[0]}.11" == PROJECT["requires-python"].removeprefix(">=")


def test_only_what_is_copied_is_sent_to_the_build():
    copied = [word for line in BUILD.all("COPY") for word in line.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    sent = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == set(copied)
    assert "*" in sent


def test_every_version_is_pinned_and_nothing_trains():
    needed = required(PROJECT, *EXTRAS)
    assert not set(needed) & TRAINING
    assert {name: version for name, version in needed.items() if pins().get(name) != version} == {}
    assert f".[{','.join(EXTRAS)}]" in BUILD.one("RUN")


def test_the_image_runs_as_nobody_in_one_folder():
    assert IMAGE.one("USER") == "quorate"
    assert IMAGE.one("VOLUME") == IMAGE.one("WORKDIR") == IMAGE.environment()["HOME"] == "/state"
    assert command(IMAGE.one("ENTRYPOINT")) == ["quorate"]
    assert not [name for name in IMAGE.environment() if re.search("TOKEN|PASS|SECRET|KEY", name)]


def serve_script(state):
    """The image: its commands, then what it runs as its user, with a root file system that is read-only."""
    user = as_user(IMAGE)
    program = [*command(IMAGE.one("ENTRYPOINT")), *command(IMAGE.one("CMD"))]
    healthy = f"{user} {quoted(*command(IMAGE.one('HEALTHCHECK')))} 2> /dev/null"
    setup = [f'chroot "$ROOT" /bin/sh -ec {quoted(step)}' for step in steps(IMAGE)]
    return "\n".join(
        [
            *setup,
            *volume_script(state),
            f'{user} {quoted(*program)} > /dev/null 2> "$LOG" &',
            "SERVICE=$! TRIES=0",
            f"until {healthy}; do",
            "    TRIES=$((TRIES + 1))",
            '    if [ $TRIES -gt 100 ] || ! kill -0 $SERVICE; then cat "$LOG"; exit 3; fi',
            "    sleep 0.2",
            "done",
            'grep Uid "$ROOT/proc/$SERVICE/status"',
            f"{user} python -c {quoted(READY)}",
            "kill -TERM $SERVICE",
            "wait $SERVICE && echo STOPPED",
            f"{healthy} || echo UNHEALTHY",
            'cat "$LOG"',
        ]
    )


READY = """
import urllib.error, urllib.request
try:
    print("READY", urllib.request.urlopen("http://127.0.0.1:8765/health/ready", timeout=10).read().decode())
except urllib.error.HTTPError as refused:
    print("READY", refused.code)
"""


def check(done, state):
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    said = done.stdout
    assert f"quorate {PROJECT['version']}" in said
    assert "No broken requirements found" in said
    assert "Read-only file system" in said
    assert re.search(r"^Uid:(\s+10001){4}$", said, re.MULTILINE)
    assert "READY 401" in said or json.loads(re.search("^READY (.*)$", said, re.MULTILINE)[1])["mode"] == "full"
    assert "mode FULL 2/2" in said
    assert "STOPPED" in said
    assert said.index("UNHEALTHY") > said.index("STOPPED")


def test_its_steps_and_what_it_runs(clean, state, tmp_path):
    """The packages are those of this environment, linked; pip finds nothing to add to them."""
    built = offline_build(BUILD, EXTRAS, wheel(tmp_path))
    done = clean.run("\n".join([f"LOG={quoted(tmp_path / 'log')}", built, serve_script(state)]))
    check(done, state)


def pip_here():
    """Commands that bring this machine's configuration of pip into the root, with what it names."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    # An index in a folder has its files beside it.
    local = {Path(found).parent for found in re.findall(r"file://(/[^\s']+)", listed.stdout)}
    named = {Path(found) for found in re.findall(r"[ =']+(/[^\s']+)", listed.stdout)} | {Path("/etc/ssl")} | local
    for path in sorted({path if path.is_dir() else path.parent for path in named if path.exists()}):
        yield f'mkdir -p "$ROOT"{quoted(path)} && mount --bind {quoted(path)} "$ROOT"{quoted(path)}'
    lines = [line.partition(".") for line in listed.stdout.splitlines() if not line.startswith(":env:")]
    pairs = [rest.partition("=") for _, _, rest in lines]
    text = "[global]\n" + "".join(
        f"{name} = {value.strip(chr(39))}\n" for name, _, value in pairs if name != "constraint"
    )
    yield f'printf %s {quoted(text)} > "$ROOT/etc/pip.conf"'


@pytest.mark.slow
def test_its_steps_with_a_package_index(clean, state, tmp_path):
    copied = [
        f'cp -r {quoted(*(ROOT / word for word in line.split()[:-1]))} "$ROOT/build/"' for line in BUILD.all("COPY")
    ]
    (install,) = [step for step in steps(BUILD) if "pip install" in step]
    log = tmp_path / "log"
    script = [*pip_here(), f"LOG={quoted(log)}", build_script(BUILD, copied, [install]), serve_script(state)]
    done = clean.run("\n".join(script), network=True, timeout=900)
    if re.search("Temporary failure in name resolution|Connection|Could not find a version", done.stderr):
        pytest.skip("no access to a package index")
    check(done, state)
