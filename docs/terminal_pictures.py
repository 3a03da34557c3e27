"""Write docs/images/terminal-*.png: what the first commands print, in a terminal of 80 columns.

    python docs/terminal_pictures.py [--folder FOLDER]

Runs `quorate demo`, then `signal` and `backtest` on what it made, each with a terminal, and photographs
the lines with Chromium. Needs the extra `dev`; takes a minute.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import MONOKAI

IMAGES = Path(__file__).parent / "images"
CHROMIUM = "/usr/bin/chromium"
COLUMNS = 80

# Picture -> the command that it shows; all run in the folder of the demo.
COMMANDS = {
    "terminal-demo": "quorate demo",
    "terminal-signal": "quorate signal --bundle demo/bundles --data demo/data",
    "terminal-backtest": "quorate backtest --bundle demo/bundles --data demo/data",
}

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #272822; display: inline-block; }}
pre {{ margin: 16px 20px; font: 15px/1.35 "DejaVu Sans Mono", monospace; color: #d9d9d9; }}
</style><pre>{code}</pre>"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the commands and write their pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the commands run; default: a temporary one")
    with tempfile.TemporaryDirectory() as temporary:
        folder = parser.parse_args(arguments).folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, command in COMMANDS.items():
            write_picture(IMAGES / f"{name}.png", f"$ {command}\n{printed(command, folder)}")
            print(IMAGES / f"{name}.png")
    return 0


def printed(command: str, folder: Path) -> str:
    """What a command prints on a terminal, with its colours; progress goes elsewhere.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()", *shlex.split(command)[1:]]
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    process = subprocess.Popen(program, cwd=folder, env=environment, stdout=inner, stderr=subprocess.DEVNULL)
    os.close(inner)
    parts = []
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux reports the end of a terminal so
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command)
    return b"".join(parts).decode().replace("\r\n", "\n")


def write_picture(path: Path, lines: str) -> None:
    """Photograph lines with their colours."""
    console = Console(record=True, width=COLUMNS + 2, file=io.StringIO(), force_terminal=True)
    for line in AnsiDecoder().decode(lines):
        console.print(line, soft_wrap=True)
    code = console.export_html(theme=MONOKAI, inline_styles=True, code_format="{code}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 300}, device_scale_factor=2)
        page.set_content(PAGE.format(code=code))
        page.locator("body").screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    raise SystemExit(main())
