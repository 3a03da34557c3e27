"""Failures of a command that are no `QuorateError`: which are of the system or of the user, and which are faults."""

from __future__ import annotations

import errno

from quorate.core.errors import ArgumentError, QuorateError

_REMEDIES = {
    errno.ENOSPC: "Free space and run it again; files that were being replaced are as before.",
    errno.EDQUOT: "Free space and run it again; files that were being replaced are as before.",
    errno.EFBIG: "Raise the limit of file sizes (ulimit -f), or choose another folder.",
    errno.EACCES: "Grant access to it, or choose another path.",
    errno.EPERM: "Grant access to it, or choose another path.",
    errno.EROFS: "Choose a folder on a file system that can be written.",
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
    errno.ENFILE: "Close other programs, or raise the system's limit of open files.",
    errno.ENOMEM: "Free memory, or process fewer markets or a shorter span at once.",
}

_MEMORY = "Free memory or raise its limit, or process fewer markets or a shorter span at once."

# Texts of errors that libraries raise when memory or threads run out.
_EXHAUSTED = ("cannot allocate memory", "failed to map segment", "std::bad_alloc", "can't start new thread")


def outside_failure(error: BaseException) -> QuorateError | None:
    """The error to report for a failure whose cause is outside of Quorate; None for a fault in Quorate.

    >>> print(outside_failure(OSError(28, "No space left on device", "x.json")))
    could not use x.json: found No space left on device. Free space and run it again; files that were being replaced \
are as before.
    """
    text = str(error)
    if isinstance(error, MemoryError) or any(words in text.lower() for words in _EXHAUSTED):
        return QuorateError("finish", found=f"too little memory ({text[:120] or 'MemoryError'})", remedy=_MEMORY)
    if isinstance(error, OSError) and error.errno is not None:
        name = error.filename if error.filename is not None else error.filename2
        what = "finish" if name is None else f"use {_readable(name)}"
        return QuorateError(what, found=error.strerror or text, remedy=_REMEDIES.get(error.errno, ""))
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        return ArgumentError(
            "read the arguments", found=ascii(error.object)[:120], expected="text in UTF-8, without halves of pairs"
        )
    return None


def _readable(name: object) -> str:
    text = name.decode(errors="surrogateescape") if isinstance(name, bytes) else str(name)
    return text if len(text) <= 120 else f"{text[:60]}...{text[-40:]}"
