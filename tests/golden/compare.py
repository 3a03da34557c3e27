"""Run every chain in two checkouts and report every difference, to the last bit. Ends with 0 only where there is none.

    python tests/golden/compare.py OLD NEW [--but-wording] [--all] [--chain NAME]
        [--old-python FILE] [--new-python FILE]

Each checkout runs with its own .venv unless an interpreter is named; any Python 3.11 or later runs this script. It
compares exit codes, JSON documents, what HTML pages show, and all files of published bundles, manifests field by field.
What is left out is in `varying.py`. With --but-wording, sentences with the same numbers are equal, and so are ids and
digests of bundles that differ for no other reason.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden.checkouts import Checkout, all_differences, figures, run_both, say
from golden.machine import changes
from golden.runs import CHAINS, RunError

_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, metavar="OLD", help="checkout whose behaviour is right")
    parser.add_argument("new", type=Path, metavar="NEW", help="checkout to be held against it")
    parser.add_argument("--old-python", type=Path, metavar="FILE", help="interpreter, else OLD/.venv/bin/python")
    parser.add_argument("--new-python", type=Path, metavar="FILE", help="the same, of NEW")
    parser.add_argument("--chain", action="append", choices=CHAINS, help="only this one; may be repeated")
    parser.add_argument("--but-wording", action="store_true", help="sentences may differ, their numbers may not")
    parser.add_argument("--all", action="store_true", help=f"every difference, not {_SHOWN} of a document")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything that was written here")
    given = parser.parse_args(arguments)
    chains = given.chain or list(CHAINS)
    try:
        old, new = Checkout.at(given.old, given.old_python), Checkout.at(given.new, given.new_python)
        for line in changes(old.machine(), new.machine()):
            say(f"the interpreters differ: {line}")
        with tempfile.TemporaryDirectory() as scratch:
            before, after = run_both(old, new, given.keep or Path(scratch), chains)
    except RunError as error:
        say(f"error: {error}")
        return 2
    every = all_differences(before, after)
    more = figures(before, after, every)
    found = more if given.but_wording else every
    for name, differing in found.items():
        say(f"{'equal' if not differing else 'DIFFERS'}  {name}")
        shown = differing if given.all else differing[:_SHOWN]
        for difference in shown:
            say(f"    {difference}")
        if len(shown) < len(differing):
            say(f"    and {len(differing) - len(shown)} more")
    total, beyond = (sum(map(len, one.values())) for one in (every, more))
    say(f"{len(found)} documents, {total} differences, {total - beyond} of them in wording or because of it")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
