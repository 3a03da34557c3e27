"""Write docs/cli.md from the command line's own help: every verb, its arguments and options, and an example.

Run: python docs/cli_page.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from quorate.cli.app import app

INTRODUCTION = """# Command line

Every verb of `quorate`, from its own `--help`. `quorate --config FILE VERB` reads other [settings](settings.md);
`--debug`, anywhere, shows tracebacks and debug logs. Exit codes: 0 success, 1 refused or failed, 2 wrong usage.

With `--json`, standard output is exactly one JSON document, also after an error. Every verb has it, except {without}.
Dates are in UTC; `--from` is inclusive, `--to` exclusive.
"""

# Heading -> first words of its verbs, in the order of the page.
GROUPS = {
    "Begin": ("demo", "doctor", "data"),
    "Train and predict": ("check", "train", "signal", "explain"),
    "Evaluate": ("evaluate", "backtest"),
    "Bundles": ("bundle",),
    "Paper trading": ("paper",),
    "Keep a bundle good": ("drift", "retrain", "bench", "select", "challenge", "weights", "tune", "size"),
    "Other programs": ("freqtrade", "serve", "token", "mcp", "llm", "settings"),
}

# One line for each verb, without the program's name. Each is parsed by the command line itself.
EXAMPLES = """
demo --out demo
doctor
data download --top 20 --timeframe 1h --days 200 --out candles
data list --data candles
data check --data candles
data import exports/ --data candles
data split BNX/USDT:USDT=100@2023-02-22T08:00 --data candles
check features
train --data candles --top 20 --to 2026-10-01 --out bundles
signal BTC/USDT:USDT --bundle bundles --data candles
explain BTC/USDT:USDT --bundle bundles --data candles
evaluate --bundle bundles --data candles --from 2026-10-01 --report report.html
backtest --bundle bundles --data candles --from 2026-10-01
bundle list
bundle show
bundle verify
bundle sign 9f2c41d8 --key private.pem
bundle promote 9f2c41d8 --why "better in October"
bundle rollback --why "too few trades"
bundle card
paper run --bundle bundles --exchange binanceusdm
paper status
paper report --bundle bundles --data candles --out paper.html --trades trades.csv
paper performance --bundle bundles --exchange binanceusdm
paper journal --kind closed --last 20
paper copy --to postgresql://quorate:PASSWORD@localhost/quorate
paper rearm drawdown --note "an outage of the exchange"
paper promote
drift --bundle bundles --data candles
retrain --bundles bundles --data candles --exchange binanceusdm
bench check --bundle bundles --data candles
bench status --bundle bundles
bench put nhits --bundle bundles --why "late answers" --by anna
bench return nhits --bundle bundles
select check --bundle bundles --data candles
select status --bundle bundles
challenge start --champion bundles --challenger other/bundles --exchange binanceusdm
challenge status
challenge stop --note "wrong candles"
challenge publish --bundles bundles
challenge promote --bundles bundles --why "won, and I read its trades"
weights --predictions scores.parquet --settings weights.toml
tune --data candles --top 12 --models lightgbm --minutes 10 --settings tuned.toml
size gate --bundle bundles
size fit --bundle bundles --data candles --from 2026-01-01
size status --bundle bundles
freqtrade init user_data --bundle bundles
freqtrade guards user_data
freqtrade rearm user_data losses --by anna
serve --bundle bundles --data candles
token --new
mcp --bundles bundles --data candles
llm check
llm record --bundle bundles --data candles --from 2026-09-01
settings schema > quorate.schema.json
llm show --list --symbols BTC/USDT:USDT
"""

# What stands in brackets at the end of a help text, its notes separated by semicolons: a default, required, a range.
_NOTES = re.compile(r"\s*\[((?:default|required|x>|x<|-?\d)[^\[\]]*)\]$")
_RANGE = re.compile(r"(?:(?P<low>-?[\d.]+)<=)?x(?:>=(?P<least>-?[\d.]+)|<=(?P<high>-?[\d.]+))")
# Names of an option that takes one of a few words: "--recipe <vote|stack>".
_CHOICE = re.compile(r" <(\w+(?:\|\w+)+)>$")


def page() -> str:
    """The whole page."""
    found, shown = commands(), examples()
    headings = {word: heading for heading, words in GROUPS.items() for word in words}
    for problem, verbs in (
        ("verbs without a heading in GROUPS", {verb for verb in found if verb.split()[0] not in headings}),
        ("verbs without a line in EXAMPLES", found.keys() - shown.keys()),
    ):
        assert not verbs, f"{problem} of docs/cli_page.py: {', '.join(sorted(verbs))}"
    without = [f"`{verb}`" for verb, one in found.items() if not any("--json" in option.opts for option in one.params)]
    parts = [INTRODUCTION.format(without=f"{', '.join(without[:-1])} and {without[-1]}")]
    chosen = {
        heading: [verb for word in words for verb in found if verb.split()[0] == word]
        for heading, words in GROUPS.items()
    }
    for heading, verbs in chosen.items():
        rows = [f"| [`{verb}`](#{verb.replace(' ', '-')}) | {_purpose(found[verb])[0]} |" for verb in verbs]
        parts.append("\n".join([f"| {heading} | |", "|---|---|", *rows, ""]))
    for heading, verbs in chosen.items():
        parts.append(f"## {heading}\n")
        parts += [_section(verb, found[verb], shown[verb]) for verb in verbs]
    return "\n".join(parts).rstrip() + "\n"


def commands() -> dict[str, Any]:
    """Verb, such as "data import" -> its command, in the order of the command line."""
    return dict(_commands(typer.main.get_command(app), ()))


def examples() -> dict[str, str]:
    """Verb -> its line in EXAMPLES."""
    verbs = commands()
    lines = EXAMPLES.strip().splitlines()
    return {_verb(line, verbs): line for line in lines}


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield " ".join(words), command
        return
    for name, inner in command.commands.items():
        if not inner.hidden:
            yield from _commands(inner, (*words, name))


def _verb(line: str, verbs: dict[str, Any]) -> str:
    words = line.split()
    found = next((verb for verb in (" ".join(words[:2]), words[0]) if verb in verbs), None)
    assert found, f"EXAMPLES of docs/cli_page.py has an unknown verb: {line}"
    return found


def _purpose(command: Any) -> list[str]:
    """Paragraphs of the help, each one line."""
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", command.help.strip())]


def _section(verb: str, command: Any, example: str) -> str:
    lines = [f"### {verb}\n", *(f"{paragraph}\n" for paragraph in _purpose(command)), f"    quorate {example}\n"]
    context = command.context_class(command)
    rows = [
        _row(one, *one.get_help_record(context))
        for one in command.params
        if not getattr(one, "hidden", False) and "--json" not in one.opts
    ]
    return "\n".join([*lines, *(["| argument or option | | default |", "|---|---|---|", *rows, ""] if rows else [])])


def _row(parameter: Any, names: str, text: str) -> str:
    text, notes = text.strip(), []
    while found := _NOTES.search(text):
        notes = [*found[1].split("; "), *notes]
        text = text[: found.start()]
    if parameter.param_type_name == "argument":
        names = f"{parameter.metavar or parameter.name.upper()}{'...' if parameter.nargs == -1 else ''}"
    if choice := _CHOICE.search(names):
        names = names[: choice.start()]
        text += f" One of `{choice[1].replace('|', '`, `')}`."
    defaults = []
    for note in notes:
        if limits := _RANGE.fullmatch(note):
            text += f" {_range(limits)}"
        else:
            defaults.append(note.removeprefix("default: "))
    return f"| `{_cell(names)}` | {_cell(text)} | {_cell(', '.join(defaults))} |"


def _range(limits: re.Match[str]) -> str:
    low, high = limits["low"] or limits["least"], limits["high"]
    if low and high:
        return f"From {float(low):g} to {float(high):g}."
    return f"At least {float(low):g}." if low else f"At most {float(high):g}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (Path(__file__).parent / "cli.md").write_text(page(), encoding="utf-8")
