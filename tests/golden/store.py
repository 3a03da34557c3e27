"""Write the stored documents that the golden test compares with, from what a checkout prints.

    python tests/golden/store.py CHECKOUT [--python FILE] [--like OTHER] [--like-python FILE]

With --like, nothing is written unless the two checkouts differ in wording at most: that is how sentences are changed.
Without, the behaviour of CHECKOUT is taken as it is: for a change that is meant to change figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden.checkouts import Checkout, all_differences, figures, run_both, say
from golden.runs import CHAINS, Outcome, RunError
from golden.stored import MACHINE, path_of, stored_form

_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, metavar="CHECKOUT")
    parser.add_argument("--python", type=Path, metavar="FILE", help="interpreter, else CHECKOUT/.venv/bin/python")
    parser.add_argument("--like", type=Path, metavar="OTHER", help="checkout that may differ in wording alone")
    parser.add_argument("--like-python", type=Path, metavar="FILE", help="its interpreter")
    given = parser.parse_args(arguments)
    try:
        checkout = Checkout.at(given.checkout, given.python)
        with tempfile.TemporaryDirectory() as scratch:
            if given.like is None:
                outcomes = checkout.run(Path(scratch))
            else:
                other = Checkout.at(given.like, given.like_python)
                before, outcomes = run_both(other, checkout, Path(scratch))
                if refused(before, outcomes):
                    return 1
        MACHINE.write_text(_text(checkout.machine()))
    except RunError as error:
        say(f"error: {error}")
        return 2
    for chain in CHAINS:
        file = path_of(chain)
        file.write_text(_text(stored_form(chain, outcomes[chain])))
        say(f"wrote {file.name}, {file.stat().st_size / 1024:.0f} KiB")
    return 0


def refused(before: Mapping[str, Mapping[str, Outcome]], after: Mapping[str, Mapping[str, Outcome]]) -> bool:
    """Whether the outcomes differ in more than wording; says in what."""
    found = figures(before, after, all_differences(before, after))
    more = [f"{name} {one}" for name, differing in found.items() for one in differing]
    for line in more[:_SHOWN]:
        say(line)
    if more:
        say(f"nothing is written: {len(more)} differences are not in wording alone")
    return bool(more)


def _text(tree: object) -> str:
    return json.dumps(tree, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
