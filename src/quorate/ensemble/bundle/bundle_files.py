"""Bundle folders: writing, reading and checking a trained ensemble on disk. A bundle is published atomically.

<out>/<id>/manifest.json    description, and the SHA-256 of every other file
           xgboost.ubj      each member in its native format, without pickle
           xgboost.onnx     each member as the graph that serving runs

Beside these, and not in the manifest: signatures.txt, and the card for people, card.md and card.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from quorate.core.errors import BundleError
from quorate.core.files import sync
from quorate.core.regular_files import open_to_read, read_regular
from quorate.core.untrusted_json import MOST_BYTES
from quorate.ensemble.bundle.manifest import FILE_NAME, Manifest

# Name prefix of a bundle's folder until it is complete.
TEMPORARY_PREFIX = ".draft-"

#: Files by which the folder of a book, and that of books, is recognised.
BOOK_NAMES = ("book.json", "book")


def publish(out: Path, manifest: Manifest, files: Mapping[str, bytes]) -> tuple[Path, Manifest]:
    """Write a bundle to a temporary folder and rename it into place.

    Publishing the same content again has no effect.

    Args:
        out: folder of bundles; created if absent.
        manifest: all fields but `files` and `id`, which are set here.
        files: file name -> content.

    Returns:
        The bundle's folder and its manifest with `files` and `id` set.

    Raises:
        BundleError: the folder cannot be written or the disk is full; nothing is published.
    """
    import shutil  # imported here: readers do not need it
    import tempfile

    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = replace(manifest, files=hashes).with_id()
    path = out / manifest.id
    if path.exists():
        read(path)
        return path, manifest
    temporary: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out, prefix=TEMPORARY_PREFIX))
        for name, content in {**files, FILE_NAME: manifest.text().encode()}.items():
            (temporary / name).write_bytes(content)
            sync(temporary / name)
        temporary.chmod(0o755)
        sync(temporary)
        temporary.rename(path)
        temporary = None
        sync(out)
    except OSError as error:
        if (path / FILE_NAME).exists():
            # Another process has published the same content since.
            read(path)
            return path, manifest
        raise BundleError(
            f"publish a bundle in {out}",
            found=error.strerror or str(error),
            expected="a writable folder with free space",
            remedy="Nothing was published. Free some space or choose another folder.",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return path, manifest


def remove(path: Path) -> None:
    """Rename a bundle to a folder that no reader looks at, and that a killed process leaves to the next writer.

    Raises:
        BundleError: the folder cannot be written.
    """
    try:
        path.rename(path.with_name(f"{TEMPORARY_PREFIX}{path.name}"))
        sync(path.parent)
    except OSError as error:
        raise BundleError(
            f"remove the bundle {path}", found=error.strerror or str(error), expected="a writable folder"
        ) from error


def read(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Read a bundle's manifest and files, each checked against its SHA-256.

    Raises:
        BundleError: no bundle there, or one that is altered or incomplete; names the file.
    """
    manifest = read_manifest(path)
    return manifest, {name: read_file(path, manifest, name) for name in manifest.files}


def read_manifest(path: Path) -> Manifest:
    """Read a bundle's manifest; its other files are not read.

    Raises:
        BundleError: no bundle there, or a manifest that is altered or incomplete.
    """
    return read_manifest_content(path)[0]


def read_manifest_content(path: Path) -> tuple[Manifest, bytes]:
    """`read_manifest`, and the bytes of the file."""
    if not (path / FILE_NAME).is_file():
        if any((path / name).is_file() for name in BOOK_NAMES):
            raise BundleError(
                _attempt(path),
                found="a book",
                expected="a bundle of members that vote or are stacked",
                remedy="Books are for `quorate signal`, `quorate backtest` and `quorate evaluate --recipe book`.",
            )
        inside = sorted(child.parent.name for child in path.glob(f"*/{FILE_NAME}")) if path.is_dir() else []
        raise BundleError(
            _attempt(path),
            found=f"no {FILE_NAME}" if path.is_dir() else "no such folder",
            expected="a folder that `quorate train` published, or a folder of bundles with a champion",
            remedy=f"Bundles in this folder: {', '.join(inside)}." if inside else "",
        )
    with _readable(path, FILE_NAME):
        content = read_regular(path / FILE_NAME, MOST_BYTES)
    return Manifest.parse(content, path / FILE_NAME), content


def read_file(path: Path, manifest: Manifest, name: str) -> bytes:
    """Read one file of a bundle, checked against its SHA-256.

    Raises:
        BundleError: the file is missing or altered.
    """
    with _readable(path, name):
        content = read_regular(path / name)
    _require_same(path, manifest, name, hashlib.sha256(content).hexdigest())
    return content


def check_file(path: Path, manifest: Manifest, name: str) -> None:
    """Check a file against its SHA-256 without holding it in memory.

    Raises:
        BundleError: the file is missing or altered.
    """
    with _readable(path, name), open_to_read(path / name) as file:
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
