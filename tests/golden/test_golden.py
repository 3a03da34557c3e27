"""What the command line prints on one fixed market is what it printed before, to the last bit on the same machine.

The stored documents hold the figures of one machine. Where Python, a library or the processor is another one, the
results of floating-point arithmetic may be others too: figures of trees and accounts are then held within 1e-9, ids and
digests are left out, what an optimiser found is held loosely or not at all (`differences.py`), and of what networks
learned only the outline is compared. The mode is part of each test's name, and pytest's header says it.

A difference that is meant: `store.py` writes the documents anew. Every difference between two checkouts: `compare.py`.
"""

import sys
from pathlib import Path

import pytest

import quorate
from golden.differences import differences
from golden.machine import changes, machine
from golden.runs import CHAINS, run_chain
from golden.stored import MACHINE, path_of, read, stored_form

SOURCE = Path(quorate.__file__).parents[1]
OTHER = changes(read(MACHINE), machine())
MODES = dict.fromkeys(CHAINS, "close") | {"networks": "outline"} if OTHER else dict.fromkeys(CHAINS, "exact")
SHOWN = 5
HOW = {"exact": "to the last bit", "close": "within 1e-9", "outline": "in outline"}


@pytest.mark.parametrize("chain", CHAINS, ids=[f"{chain} {HOW[MODES[chain]]}" for chain in CHAINS])
def test_every_document_is_the_stored_one(chain, tmp_path):
    found = stored_form(chain, run_chain(chain, tmp_path, SOURCE, Path(sys.executable)))
    expected = read(path_of(chain))
    wrong = []
    for name in dict.fromkeys([*expected, *found]):
        stored, made = expected.get(name, {}), found.get(name, {})
        for part in dict.fromkeys([*stored, *made]):
            if part == "files" and OTHER:
                continue
            found_here = differences(stored.get(part), made.get(part), mode_of(chain, part))
            wrong += [f"{name} {part} {one}" for one in found_here[:SHOWN]]
            wrong += [f"{name} {part}: and {len(found_here) - SHOWN} more"] if len(found_here) > SHOWN else []
    how = f"compared {HOW[MODES[chain]]}" + "".join(f"\n  {line}" for line in OTHER)
    if wrong:
        pytest.fail("\n".join([f"{how}; stored -> found:", *wrong]), pytrace=False)


def mode_of(chain, part):
    """A page's texts round what its plots and the document hold, and may round it to either side."""
    if part in ("line", "exit", "files"):
        return "exact"
    return "outline" if OTHER and part == "texts" else MODES[chain]


def test_figures_are_of_this_machine():
    if OTHER:
        pytest.skip(f"within 1e-9 only, and networks in outline: the documents were stored with {'; '.join(OTHER)}")
