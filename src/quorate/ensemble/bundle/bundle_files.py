"""A trained ensemble on disk: a folder named by its content, published at once or not at all.

<out>/<id>/manifest.json    what it is, and the SHA-256 of every other file
           xgboost.ubj      each member in its own safe format
           xgboost.onnx     and as the graph that serving runs
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from quorate.core.errors import BundleError
from quorate.core.files import sync
from quorate.ensemble.bundle.manifest import FILE_NAME, Manifest

# What a folder is called until it is complete.
DRAFT = ".draft-"


def publish(out: Path, manifest: Manifest, files: Mapping[str, bytes]) -> tuple[Path, Manifest]:
    """Write a bundle beside its final place and rename it into place.

    Publishing the same content again changes nothing.

    Args:
        out: the folder that holds bundles; made if absent.
        manifest: everything but `files` and `id`, which are filled in here.
        files: file name -> content.

    Returns:
        The bundle's folder and its sealed manifest.

    Raises:
        BundleError: the folder cannot be written or the disk is full; nothing is published then.
    """
    import shutil  # here, because who only reads needs none of it
    import tempfile

    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = replace(manifest, files=hashes).sealed()
    path = out / manifest.id
    if path.exists():
        read(path)
        return path, manifest
    draft: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=out, prefix=DRAFT))
        for name, content in {**files, FILE_NAME: manifest.text().encode()}.items():
            (draft / name).write_bytes(content)
            sync(draft / name)
        draft.chmod(0o755)
        sync(draft)
        draft.rename(path)
        draft = None
        sync(out)
    except OSError as error:
        if (path / FILE_NAME).exists():
            # Another process has published the same content in the meantime.
            read(path)
            return path, manifest
        raise BundleError(
            f"publish a bundle in {out}",
            found=error.strerror or str(error),
            expected="a folder that can be written, with room",
            remedy="Nothing was published; free space or choose another folder.",
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return path, manifest


def read(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """A bundle's manifest and files, every one checked against its SHA-256.

    Raises:
        BundleError: no bundle there, or one that is altered or incomplete; the file is named.
    """
    manifest = read_manifest(path)
    return manifest, {name: read_file(path, manifest, name) for name in manifest.files}


def read_manifest(path: Path) -> Manifest:
    """What a bundle says of itself; its other files are not looked at.

    Raises:
        BundleError: no bundle there, or a manifest that is altered or incomplete.
    """
    if not (path / FILE_NAME).is_file():
        inside = sorted(child.parent.name for child in path.glob(f"*/{FILE_NAME}")) if path.is_dir() else []
        raise BundleError(
            _attempt(path),
            found=f"no {FILE_NAME}" if path.is_dir() else "no such folder",
            expected="the folder that `quorate train` named, or a folder of bundles with a champion",
            remedy=f"Bundles inside it: {', '.join(inside)}." if inside else "",
        )
    with _readable(path, FILE_NAME):
        content = (path / FILE_NAME).read_bytes()
    return Manifest.parse(content, path / FILE_NAME)


def read_file(path: Path, manifest: Manifest, name: str) -> bytes:
    """One file of a bundle, checked against its SHA-256.

    Raises:
        BundleError: it is missing or altered.
    """
    with _readable(path, name):
        content = (path / name).read_bytes()
    _require_same(path, manifest, name, hashlib.sha256(content).hexdigest())
    return content


def check_file(path: Path, manifest: Manifest, name: str) -> None:
    """`read_file` of a file that nobody wants to hold.

    Raises:
        BundleError: it is missing or altered.
    """
    with _readable(path, name), (path / name).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    _require_same(path, manifest, name, found)


def _attempt(path: Path) -> str:
    return f"load the bundle {path}"


@contextmanager
def _readable(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BundleError(_attempt(path), found=f"{name} missing", expected="every file of the manifest") from error
    except OSError as error:
        raise BundleError(_attempt(path), found=f"{error.filename}: {error.strerror}") from error


def _require_same(path: Path, manifest: Manifest, name: str, found: str) -> None:
    expected = manifest.files[name]
    if found != expected:
        raise BundleError(
            _attempt(path),
            found=f"{name} altered: SHA-256 {found[:16]}...",
            expected=f"{expected[:16]}...",
            remedy="Restore it from a copy, or train again.",
        )
