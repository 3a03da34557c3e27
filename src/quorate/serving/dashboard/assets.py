"""Style, scripts and icon of the dashboard, with addresses that change with their content.

A browser keeps them without asking again, since an address holds a digest of all files. Scripts import each other by
relative addresses, which stay below it.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from quorate.core.errors import QuorateError

FOLDER = Path(__file__).parent / "static"

#: The library of line charts, which the report has too.
CHARTS = Path(str(files("quorate.evaluation.report.page"))) / "vendor"

#: Path below which the files are; access control sets no header about storage there.
PREFIX = "/static"

_FOREVER = "public, max-age=31536000, immutable"
# Types that the machine's own table may lack.
_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".txt": "text/plain; charset=utf-8"}


class Assets:
    """The files in memory: some 400 KB, which are read once.

    Args:
        folder: of the dashboard's own files.

    Attributes:
        version: the first 12 hex digits of the SHA-256 of all names and contents.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self._files |= {f"vendor/{path.name}": path.read_bytes() for path in sorted(CHARTS.glob("uPlot*"))}
        digest = sha256()
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + sha256(content).digest())
        self.version = digest.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Address of a file, as a template names it.

        Raises:
            QuorateError: no such file.
        """
        if name not in self._files:
            raise QuorateError("name a file of the dashboard", found=name, expected=", ".join(self._files))
        return f"{PREFIX}/{self.version}/{name}"

    def response(self, request: Request, version: str, name: str) -> Response:
        """A file; 404 if there is none. Of another version than this one, as an open page may ask for after an
        update, it is not stored.
        """
        content = self._files.get(name)
        if content is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        current = version == self.version
        headers = {"Cache-Control": _FOREVER if current else "no-store", "ETag": f'"{self.version}"'}
        if current and request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type(name))


def media_type(name: str) -> str:
    """The media type of a file.

    >>> media_type("app.css"), media_type("chart.js"), media_type("icon.svg")
    ('text/css', 'text/javascript', 'image/svg+xml')
    """
    return _TYPES.get(Path(name).suffix) or guess_type(name)[0] or "application/octet-stream"
