"""Checkouts of this project beside each other: whose interpreter runs what, and what two of them print differently."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.compact import ID
from golden.differences import Difference, differences
from golden.runs import CHAINS, Outcome, RunError, digests, environment, run_chain
from golden.varying import without_varying

_MACHINE = Path(__file__).with_name("machine.py")
_WHERE = "import quorate; print(quorate.__file__)"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree and the interpreter that runs it.

    Attributes:
        root: of the working tree; its package lies in src/.
        python: interpreter; the checkout's own .venv unless another one is named.
    """

    root: Path
    python: Path

    @classmethod
    def at(cls, root: Path, python: Path | None = None) -> Checkout:
        """The checkout in a folder.

        Raises:
            RunError: it has no package, or its interpreter imports another one.
        """
        root = root.resolve()
        found = python or root / ".venv" / "bin" / "python"
        if not (root / "src" / "quorate").is_dir() or not found.exists():
            raise RunError(f"{root}: expected src/quorate and {found}; run make install, or name an interpreter")
        checkout = cls(root, found.absolute())  # unresolved: a virtual environment is known by the link
        imported = checkout._output("-c", _WHERE).strip()
        if not Path(imported).is_relative_to(root):
            raise RunError(f"{root}: its interpreter imports {imported}")
        return checkout

    @property
    def source(self) -> Path:
        return self.root / "src"

    def machine(self) -> dict[str, Any]:
        """What its figures depend on besides its code."""
        return dict(json.loads(self._output(str(_MACHINE))))

    def run(self, folder: Path, chains: Sequence[str] = tuple(CHAINS)) -> dict[str, dict[str, Outcome]]:
        """Chain -> command -> outcome, each chain in a folder of its own."""
        return {chain: run_chain(chain, folder / chain, self.source, self.python) for chain in chains}

    def _output(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.python), *arguments], capture_output=True, text=True, check=False, env=environment(self.source)
        )
        if done.returncode:
            raise RunError(f"{self.python} failed: {done.stderr}")
        return done.stdout


def run_both(
    old: Checkout, new: Checkout, folder: Path, chains: Sequence[str] = tuple(CHAINS)
) -> tuple[dict[str, dict[str, Outcome]], dict[str, dict[str, Outcome]]]:
    """The same chains in both checkouts, at the same time."""
    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(one.run, folder / name, chains) for name, one in (("old", old), ("new", new))]
        before, after = (run.result() for run in runs)
    return before, after


def documents(chain: str, outcomes: Mapping[str, Outcome]) -> Iterator[tuple[str, Any]]:
    """Everything that is compared, name by name: documents, pages, the JSON files of bundles, digests of all files."""
    for command in CHAINS[chain]:
        outcome = outcomes[command.name]
        name = f"{chain}/{command.name}"
        yield f"{name} exit code", outcome.code
        yield f"{name} --json", without_varying(command.verb, outcome.document)
        if outcome.page is not None:
            yield f"{name} page", outcome.page
        for file, content in outcome.published.items():
            if file.endswith(".json"):
                yield f"{name} {file}", json.loads(content)
        if outcome.published:
            yield f"{name} SHA-256 of published files", digests(outcome.published)


def all_differences(
    before: Mapping[str, Mapping[str, Outcome]], after: Mapping[str, Mapping[str, Outcome]]
) -> dict[str, list[Difference]]:
    """Name of the document -> where it differs, to the last bit; equal documents have an empty list."""
    found: dict[str, list[Difference]] = {}
    for chain in before:
        old, new = dict(documents(chain, before[chain])), dict(documents(chain, after[chain]))
        for name in dict.fromkeys([*old, *new]):
            if name in old and name in new:
                found[name] = differences(old[name], new[name])
            else:
                found[name] = [Difference("", *("written" if name in side else "missing" for side in (old, new)))]
    return found


def figures(
    before: Mapping[str, Mapping[str, Outcome]],
    after: Mapping[str, Mapping[str, Outcome]],
    found: Mapping[str, Sequence[Difference]],
) -> dict[str, list[Difference]]:
    """Differences that are not in wording alone, and do not follow from wording.

    A bundle's id is the digest of its manifest, and a manifest holds sentences: where the trainings of both sides gave
    different ids, each stands for the other. So do the digests of JSON files, which are compared field by field.
    """
    ids = {chain: dict(zip(_ids(before[chain]), _ids(after[chain]), strict=False)) for chain in before}
    return {
        name: [one for one in differing if not _worded(name, one, ids[name.partition("/")[0]])]
        for name, differing in found.items()
    }


def _worded(name: str, one: Difference, ids: Mapping[str, str]) -> bool:
    if one.wording(words=name.endswith(" page")):
        return True
    if not (isinstance(one.before, str) and isinstance(one.after, str)):
        return False
    if one.path.endswith(".json") and ID.fullmatch(one.before) and ID.fullmatch(one.after):
        return True
    return ID.sub(lambda found: ids.get(found[0], found[0]), one.before) == one.after


def _ids(outcomes: Mapping[str, Outcome]) -> list[str]:
    """Ids that a chain published, in the order of training, the series last."""
    document = outcomes["train"].document if "train" in outcomes else {}
    return [one["id"] for one in (*document.get("bundles", ()), document) if "id" in one]


def say(text: str = "") -> None:
    """A line of the report."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
