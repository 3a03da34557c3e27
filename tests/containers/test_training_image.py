"""The image that retrains: the service's user and volume, pinned versions, and the libraries that train."""

import json
import re
import tomllib
from pathlib import Path

from stubs.dockerfile import command, required, stages
from stubs.image_steps import as_user, offline_build, quoted, steps, volume_script
from stubs.overlay import wheel

ROOT = Path(__file__).parents[2]
FOLDERS = {name: ROOT / "docker" / name for name in ("service", "training")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD, IMAGE = stages((FOLDERS["training"] / "Dockerfile").read_text())
SERVICE_BUILD, SERVICE = stages((FOLDERS["service"] / "Dockerfile").read_text())
EXTRAS = ("lifecycle", "exchange")


def test_it_begins_with_the_same_pinned_image_and_copies_the_same():
    assert (BUILD.base, IMAGE.base) == (SERVICE_BUILD.base, SERVICE.base)
    assert BUILD.all("COPY") == SERVICE_BUILD.all("COPY")
    ignored = {name: (folder / "Dockerfile.dockerignore").read_text() for name, folder in FOLDERS.items()}
    assert ignored["training"] == ignored["service"]


def test_every_version_is_pinned_and_what_trains_is_there():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)
    needed = required(PROJECT, *EXTRAS)
    assert {"torch", "xgboost-cpu", "lightgbm", "ccxt", "cronsim"} <= set(needed)
    # PyTorch's own needs of GPUs follow its version, which here is that for processors.
    own = {name: version for name, version in needed.items() if not name.startswith(("nvidia-", "cuda-", "triton"))}
    assert {name for name, version in own.items() if pins.get(name) != version.partition("+")[0]} == set()
    assert f".[{','.join(EXTRAS)}]" in BUILD.one("RUN")


def test_both_images_write_to_one_volume_as_one_user():
    for instruction in ("USER", "VOLUME", "WORKDIR"):
        assert IMAGE.one(instruction) == SERVICE.one(instruction)
    (user,) = (run for run in IMAGE.all("RUN") if "useradd" in run)
    (other,) = (run for run in SERVICE.all("RUN") if "useradd" in run)
    assert user.split("&&")[0] == other.split("&&")[0]
    assert command(IMAGE.one("ENTRYPOINT")) == ["quorate"]
    assert command(IMAGE.one("CMD"))[0] == "retrain"


def test_its_steps_and_a_run_of_it(clean, state, tmp_path):
    """All steps but the one that asks Debian for libgomp1, which this machine has."""
    setup = [step for step in steps(IMAGE) if "apt" not in step]
    assert len(steps(IMAGE)) - len(setup) == 3
    small = {"QUORATE_POLICY__NAME": "classic", "QUORATE_POLICY__REFIT": "none", "QUORATE_BUNDLE__EVIDENCE": "50"}
    user = as_user(IMAGE).replace("/usr/bin/env -i", f"/usr/bin/env -i {quoted(*map('='.join, small.items()))}")
    program = [*command(IMAGE.one("ENTRYPOINT")), *command(IMAGE.one("CMD"))]
    script = [
        offline_build(BUILD, EXTRAS, wheel(tmp_path)),
        *(f'chroot "$ROOT" /bin/sh -ec {quoted(step)}' for step in setup),
        *volume_script(state),
        f"{user} {quoted(*program, '--now')}",
        'ls -ln "$ROOT/state/bundles/retraining"',
        'cat "$ROOT/state/bundles/retraining/0001.json"',
    ]
    done = clean.run("\n".join(script))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "No broken requirements found" in done.stdout
    assert "Read-only file system" in done.stdout
    assert "Run 1: " in done.stdout
    assert re.search(r" 10001 10001 .* 0001\.json", done.stdout)
    run = json.loads(done.stdout[done.stdout.index("\n{\n") :])
    assert run["state"] in ("promoted", "kept")
    assert run["bundle"]
