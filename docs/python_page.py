"""Write docs/python_api.md from the docstrings of the public surface, grouped by what a user does.

Run: python docs/python_page.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

INTRODUCTION = """# Python API

What is offered for use from Python, from its docstrings. [The Python page](python.md) is the guide to it.
Names without a module are imported from `quorate`.

Times are in ms UTC, prices in quote units, shares and returns fractions and not percent, and arrays are oldest first.
Every error derives from `QuorateError`; an argument of the wrong type raises `ArgumentError`.
"""

# Heading -> names, of `quorate` or with their module.
GROUPS = {
    "Candles and files": (
        "Candles",
        "Funding",
        "load_candles",
        "download",
        "import_candles",
        "list_candles",
        "check",
        "quorate.market.SyntheticMarket",
        "quorate.market.write_candles",
    ),
    "Columns": ("features", "feature_names", "feature", "check_own_columns", "quorate.features.Bars"),
    "Training": ("train", "train_rolling", "Model", "quorate.models.FitRequest", "quorate.models.StoppingRows"),
    "Signals and votes": (
        "signals",
        "load_bundle",
        "Bundle",
        "Agent",
        "Signal",
        "DecisionFrame",
        "decide",
        "Vote",
        "Abstention",
        "Action",
        "explain",
    ),
    "Evaluation": ("evaluate", "walk_forward", "backtest", "RunRecord", "demo"),
    "Books": (
        "train_book",
        "load_book",
        "target_book",
        "backtest_book",
        "evaluate_book",
        "quorate.book.Book",
        "quorate.book.Sleeve",
        "quorate.book.LearnedSleeve",
        "quorate.book.DailyPanel",
    ),
    "Checks for look-ahead": ("check_features", "check_model", "check_strategy"),
    "Forecasts of volatility": ("volatility", "volatility_frame"),
    "Paper trading": ("PaperAccount",),
    "Bundles and retraining": (
        "BundleStore",
        "write_card",
        "retrain",
        "retraining_status",
        "quorate.workflows.list_bundles",
        "quorate.workflows.show_bundle",
        "quorate.workflows.verify_bundles",
        "quorate.workflows.promote_bundle",
        "quorate.workflows.rollback_bundle",
    ),
    "Settings and errors": (
        "Settings",
        "load_settings",
        "quorate.workflows.settings_schema.settings_schema",
        "QuorateError",
    ),
    "Tests of your own packages": (
        "quorate.testing.model_checks",
        "quorate.testing.feature_checks",
        "quorate.testing.sleeve_checks",
        "quorate.testing.source_checks",
    ),
}

# Of a call that is shown; classes of results have more fields, which their attributes describe.
_MOST_ARGUMENTS = 14

_SECTION = re.compile(r"^(Args|Attributes|Class attributes|Returns|Yields|Raises):\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"(\*{0,2}\w[\w, .*]*): *(.*)")
_HEADINGS = {"Args": "argument", "Attributes": "attribute", "Class attributes": "class attribute", "Raises": "raises"}


def page() -> str:
    """The whole page."""
    import quorate

    named = [name for names in GROUPS.values() for name in names]
    missing = set(quorate.__all__) - set(named)
    assert not missing, f"public names without a group in docs/python_page.py: {', '.join(sorted(missing))}"
    parts = [INTRODUCTION]
    for heading, names in GROUPS.items():
        links = (f"[`{name.rpartition('.')[2]}`](#{name.rpartition('.')[2].lower()})" for name in names)
        parts.append(f"**{heading}**: {', '.join(links)}\n")
    for heading, names in GROUPS.items():
        parts.append(f"## {heading}\n")
        for name in names:
            parts += _object(name, _find(name))
    return "\n".join(parts).rstrip() + "\n"


def _find(name: str) -> Any:
    module, _, own = name.rpartition(".")
    return getattr(import_module(module or "quorate"), own)


def _object(name: str, public: Any) -> Iterable[str]:
    own = name.rpartition(".")[2]
    yield f"### {own}\n"
    yield f"    {_signature(name, public)}\n"
    yield from _documentation(public)
    if inspect.isclass(public):
        rows = [
            f"| `{_signature(method, getattr(public, method))}` | {_summary(getattr(public, method))} |"
            for method in _methods(public)
        ]
        if rows:
            yield "\n".join(["| method | |", "|---|---|", *(row.replace("\n", " ") for row in rows), ""])


def _methods(kind: type) -> list[str]:
    """Public methods and properties that the package itself defines, in the order of the source."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("quorate"):
            found |= {name: one for name, one in vars(base).items() if not name.startswith("_")}
    return [name for name in found if inspect.isroutine(getattr(kind, name)) and _text(getattr(kind, name))]


def _signature(name: str, public: Any) -> str:
    """The call, with its arguments and their defaults; of a class that its users do not construct, the name."""
    if inspect.isclass(public) and (issubclass(public, int) or not ("Args:" in _text(public) or is_dataclass(public))):
        return name
    arguments: list[str] = []
    for argument in inspect.signature(public).parameters.values():
        if argument.name in ("self", "cls"):
            continue
        if argument.kind is argument.KEYWORD_ONLY and "*" not in arguments:
            arguments.append("*")
        stars = {argument.VAR_POSITIONAL: "*", argument.VAR_KEYWORD: "**"}.get(argument.kind, "")
        arguments.append(f"{stars}{argument.name}{_default(argument.default)}")
    if len(arguments) > _MOST_ARGUMENTS:
        arguments = [*arguments[:_MOST_ARGUMENTS], "..."]
    return f"{name}({', '.join(arguments)})"


def _default(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return ""
    if callable(default):
        return f"={default.__name__}"
    text = repr(default)
    return "=..." if "<" in text or len(text) > 30 else f"={text}"


def _text(public: Any) -> str:
    """Its own docstring: a class without one would give that of its base."""
    own = vars(public).get("__doc__") if inspect.isclass(public) else getattr(public, "__doc__", None)
    return inspect.cleandoc(own or "")


def _summary(public: Any) -> str:
    return _cell(_text(public).split("\n\n")[0])


def _documentation(public: Any) -> Iterable[str]:
    """Paragraphs of a docstring, and a table of each of its sections; examples are left to the guide."""
    text = _text(public).partition("\n>>> ")[0].rstrip() + "\n"
    for paragraph in re.split(r"\n\s*\n", _SECTION.sub("", text).strip()):
        yield f"{' '.join(paragraph.split())}\n"
    for kind, body in _SECTION.findall(text):
        body = inspect.cleandoc(body)
        if kind in ("Returns", "Yields"):
            yield f"{kind}: {' '.join(body.split())}\n"
            continue
        rows = [f"| {_names(name)} | {_cell(words)} |" for name, words in _entries(body)]
        yield "\n".join([f"| {_HEADINGS[kind]} | |", "|---|---|", *rows, ""])


def _entries(body: str) -> list[tuple[str, str]]:
    """Name and description of each entry; lines that are indented continue the entry before."""
    found: list[list[str]] = []
    for line in body.splitlines():
        if entry := _ENTRY.match(line):
            found.append([entry[1], entry[2]])
        elif found:
            found[-1][1] += f" {line.strip()}"
        else:
            found.append(["", line.strip()])
    return [(name, words) for name, words in found]


def _names(text: str) -> str:
    return ", ".join(f"`{name.strip()}`" for name in text.split(",") if name.strip())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    (Path(__file__).parent / "python_api.md").write_text(page(), encoding="utf-8")
