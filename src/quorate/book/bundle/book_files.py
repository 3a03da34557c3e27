"""Folders of trained books: written at once, and read with every file checked.

<out>/<id>/book.json                    description, and the SHA-256 of every other file
           cross_section.xgboost.ubj    each member in its native format, without pickle
           cross_section.xgboost.onnx   each member as the graph that serving runs
<out>/book                              the id of the newest one
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from quorate.book.bundle.manifest import FILE_NAME, BookManifest
from quorate.core.errors import BundleError
from quorate.core.files import sync, write_text_atomic
from quorate.core.regular_files import read_regular

#: File in a folder of books with the id of the newest.
POINTER = "book"

_LONGEST_ID = 64


def publish_book(out: Path, manifest: BookManifest, files: Mapping[str, bytes]) -> tuple[Path, BookManifest]:
    """Write a book to a temporary folder, rename it into place and make it the folder's newest.

    Args:
        out: folder of books; created if absent.
        manifest: all fields but `files` and `id`.
        files: name -> content.

    Returns:
        The folder and the manifest with `files` and `id`.

    Raises:
        BundleError: the folder cannot be written; nothing is published.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = replace(manifest, files=hashes).with_id()
    path = out / manifest.id
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not (path / FILE_NAME).exists():
            with tempfile.TemporaryDirectory(dir=out, prefix=".draft-", ignore_cleanup_errors=True) as draft:
                made = Path(draft) / "book"
                made.mkdir()
                for name, content in {**files, FILE_NAME: manifest.text().encode()}.items():
                    (made / name).write_bytes(content)
                    sync(made / name)
                sync(made)
                if path.exists():
                    shutil.rmtree(path)  # without its description: a copy that was cut off
                made.rename(path)
                sync(out)
        write_text_atomic(out / POINTER, manifest.id + "\n")
    except OSError as error:
        raise BundleError(
            f"publish a book in {out}",
            found=error.strerror or str(error),
            expected="a writable folder with free space",
            remedy="Free some space or choose another folder.",
        ) from error
    return path, manifest


def book_path(path: Path) -> Path | None:
    """The folder of the book at a path: the path itself, or the newest of a folder of books; None for anything else."""
    if (path / FILE_NAME).is_file():
        return path
    pointer = path / POINTER
    if not pointer.is_file():
        return None
    with pointer.open("rb") as file:
        name = file.read(_LONGEST_ID).decode("ascii", "replace").strip()
    if not name.isalnum() or not (path / name / FILE_NAME).is_file():
        raise BundleError(
            f"find the newest book of {path}",
            found=f"{name!r} in {pointer.name}",
            expected="the id of a book in this folder",
            remedy="Name the folder of a book itself.",
        )
    return path / name


def read_manifest(path: Path) -> BookManifest:
    """The description of the book in a folder.

    Raises:
        BundleError: none there, or an altered one.
    """
    return BookManifest.parse(_read(path, FILE_NAME), path / FILE_NAME)


def read_file(path: Path, manifest: BookManifest, name: str) -> bytes:
    """One file of a book, checked against its SHA-256.

    Raises:
        BundleError: missing or altered.
    """
    content = _read(path, name)
    if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
        raise BundleError(
            f"read {path / name}",
            found="content that does not match its SHA-256",
            expected="the file as it was published",
            remedy="Restore it from a copy, or train again.",
        )
    return content


def _read(path: Path, name: str) -> bytes:
    try:
        return read_regular(path / name)
    except OSError as error:
        raise BundleError(
            f"read {path / name}", found=error.strerror or str(error), expected="a book that `quorate train` published"
        ) from error
