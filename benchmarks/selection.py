"""The best four of the zoo, chosen day by day, against the documented four, all, and simpler choices.

    QUORATE_DATA=DATA python benchmarks/zoo.py --walk FOLDER
    python benchmarks/selection.py FOLDER

FOLDER holds each member's scores out of fold over 60 perpetuals; members that are not there are left out. Every set
begins after the longest window, so that all of them are compared on the same rows. Window, margin and tenure are those
with the least log-loss on the rows before 2025-07-01; the rows from there on judge. Writes results/selection.md and
.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from quorate.core.clock import DAY_MS, format_ms, parse_ms
from quorate.core.sections.select import SelectSettings
from quorate.core.settings import Settings
from quorate.core.types import BoolArray, FloatArray
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.selection import Membership, SetLosses, Term, choose_members
from quorate.ensemble.voting.mean_scores import mean_scores
from quorate.evaluation.metrics.classification import row_log_loss
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.evaluation.out_of_fold import MemberPredictions
from quorate.evaluation.out_of_fold.predictions_file import read_predictions
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets.matured_days import MaturedDays

RESULTS = Path(__file__).parent / "results"
FOUR = RECIPES["vote"].models
PRIOR = "class prior"
SIZE = 4
CHOSEN = "2025-07-01"  # settings are chosen on the rows before it
DAYS, MARGINS, TENURES = (14, 28, 56), (0.0, 0.0002, 0.0005, 0.001), (7, 14)
HORIZON = 5


class Zoo(NamedTuple):
    """Stored scores of the members.

    Attributes:
        rows: labels and times, and the class prior as a member.
        scores: member -> (n, 3), the documented four first.
        losses: of sets of members by day.
        begin: ms, when every set begins.
    """

    rows: MemberPredictions
    scores: Mapping[str, FloatArray]
    losses: SetLosses
    begin: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the scores")
    parser.add_argument("--out", type=Path, default=RESULTS / "selection", help="of the results, without suffix")
    options = parser.parse_args()
    found = figures(read(options.folder))
    options.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(found)
    options.out.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def read(folder: Path) -> Zoo:
    """The members whose scores are complete."""
    done = {path.stem for path in folder.glob("*.json")} & {path.stem for path in folder.glob("*.parquet")}
    done -= {"log_har"}  # a baseline without a side
    names = [*(name for name in FOUR if name in done), *sorted(done - set(FOUR))]
    if len(names) <= SIZE:
        raise SystemExit(f"{folder} has {len(names)} members; more than {SIZE} are needed")
    read = {name: read_predictions(folder / f"{name}.parquet") for name in names}
    rows = read[names[0]]
    for name, other in read.items():
        if not (np.array_equal(other.time, rows.time) and np.array_equal(other.symbol, rows.symbol)):
            raise SystemExit(f"the rows of {name} are not those of {names[0]}")
    scores = {name: one.members[name] for name, one in read.items()}
    known_at = rows.span_end + rows.bar_ms
    days = MaturedDays.between(int(rows.time.min()) // DAY_MS * DAY_MS, int(known_at.max()))
    losses = SetLosses(scores, rows.y, rows.members[PRIOR], known_at, days, Settings().vote)
    return Zoo(rows, scores, losses, (days.first + max(DAYS)) * DAY_MS)


def figures(zoo: Zoo) -> dict[str, Any]:
    """The document of the results."""
    rows, split = zoo.rows, parse_ms(CHOSEN)
    later = rows.time >= split
    tested = rows.time + rows.bar_ms >= zoo.begin
    # A label that is read at the end of the first part is known only in the second one.
    parts = {"before": tested & (rows.span_end + rows.bar_ms <= split), "from": tested & later}
    blocks = {name: TimeBlocks(rows.time[part], Settings().evaluation) for name, part in parts.items()}
    tried = []
    for days, margin, tenure in product(DAYS, MARGINS, TENURES):
        rule = SelectSettings(SIZE, days, margin, tenure)
        membership = choose_members(zoo.losses, zoo.begin, rule)
        own = voting(zoo, membership)
        tried.append((rule, membership, {name: loss(zoo, own, part) for name, part in parts.items()}))
    rule, membership, _ = min(tried, key=lambda each: each[2]["before"])
    default = SelectSettings(SIZE)
    sets = {
        "best four, day by day": membership,
        "the same by the default settings": choose_members(zoo.losses, zoo.begin, default),
        "four of the best rank, day by day": by_rank(zoo, rule.days),
        f"best four before {CHOSEN}, kept": kept(zoo, split),
        "all": Membership(),
    }
    if set(FOUR) <= zoo.scores.keys():
        sets["documented four"] = Membership(SIZE, (Term(0, FOUR),))
    tables = {name: voting(zoo, each) for name, each in sets.items()}
    prior = rows.members[PRIOR]
    chosen = tables["best four, day by day"]
    compared = {}
    for name, table in tables.items():
        compared[name] = {
            part: {
                "rows": int(own.sum()),
                "log_loss": loss(zoo, table, own),
                "skill": 1 - loss(zoo, table, own) / loss(zoo, prior, own),
                "against": None if table is chosen else paired(zoo, chosen, table, own, blocks[part]),
            }
            for part, own in parts.items()
        }
    return {
        "markets": len(rows.symbols),
        "timeframe": rows.timeframe,
        "from": format_ms(zoo.begin)[:10],
        "to": format_ms(int(rows.time.max()))[:10],
        "chosen_before": CHOSEN,
        "members": list(zoo.scores),
        "rule": {"days": rule.days, "margin": rule.margin, "tenure_days": rule.tenure_days, "swaps": rule.swaps},
        "tried": [
            {
                "days": each.days,
                "margin": each.margin,
                "tenure_days": each.tenure_days,
                "changes": len(own.terms) - 1,
                **{f"log_loss_{name}": value for name, value in lost.items()},
            }
            for each, own, lost in tried
        ],
        "compared": compared,
        "terms": membership.to_json(),
        "days": days_of(zoo, membership),
        "size": SIZE,
    }


def voting(zoo: Zoo, membership: Membership) -> FloatArray:
    """(n, 3) mean score of the members that vote on each row."""
    tables, _ = membership.split(zoo.scores, zoo.rows.time + zoo.rows.bar_ms)
    return mean_scores(tables, Settings().vote)


def by_rank(zoo: Zoo, days: int) -> Membership:
    """The members that are best alone over the window, without hysteresis."""
    losses, terms = zoo.losses, list[Term]()
    first = zoo.begin // DAY_MS - losses.days.first
    for look in range(first, losses.days.count + 1):
        window = slice(max(0, look - days), look)
        ranked = sorted(range(len(losses.names)), key=lambda place: losses.over([place], window))
        names = tuple(losses.names[place] for place in sorted(ranked[:SIZE]))
        if not terms or terms[-1].members != names:
            terms.append(Term(losses.days.look_at(look, 0), names))
    return Membership(SIZE, tuple(terms))


def kept(zoo: Zoo, split: int) -> Membership:
    """One set for all rows, added one by one on all labels that were known at the split: before it, a look ahead."""
    days = split // DAY_MS - zoo.losses.days.first
    members = choose_members(zoo.losses, split, SelectSettings(SIZE, days)).terms[0].members
    return Membership(SIZE, (Term(0, members),))


def loss(zoo: Zoo, table: FloatArray, part: BoolArray) -> float:
    """Mean log-loss on some rows."""
    return float(np.nanmean(row_log_loss(zoo.rows.y[part], table[part])))


def paired(zoo: Zoo, table: FloatArray, other: FloatArray, part: BoolArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Log-loss of one set less that of another on some rows, with its interval and the Diebold-Mariano test."""
    return log_loss_difference(zoo.rows.select(part).labelled(), table[part], other[part], blocks, HORIZON)


def days_of(zoo: Zoo, membership: Membership) -> dict[str, float]:
    """Days for which each member votes."""
    closes = np.arange(zoo.begin, int(zoo.rows.time.max()), zoo.rows.bar_ms)
    share = membership.rows(closes, tuple(zoo.scores)).sum(axis=0) * zoo.rows.bar_ms / DAY_MS
    return {name: round(float(days), 1) for name, days in zip(zoo.scores, share, strict=True)}


def as_markdown(found: Mapping[str, Any]) -> str:
    """The tables."""
    rule, compared, split = found["rule"], found["compared"], found["chosen_before"]
    lines = [
        "# The best four of the zoo",
        "",
        "`QUORATE_DATA=DATA python benchmarks/zoo.py --walk FOLDER`, then `python benchmarks/selection.py FOLDER`: "
        f"{found['markets']} perpetuals, {found['timeframe']}, {found['from']} to {found['to']}, scores out of fold "
        f"of {len(found['members'])} members: {', '.join(found['members'])}. Of {len(found['tried'])} settings the one "
        f"with the least log-loss before {split} is {rule['days']} days, a margin of {rule['margin']:g} and a tenure "
        f"of {rule['tenure_days']} days. Log-loss is of the mean score of those that vote; the difference is that of "
        "the best four, day by day, less that of the row: below 0 they are better. Intervals are 95 % of a bootstrap "
        "over days with all markets of each, p that of Diebold and Mariano over bars.",
    ]
    if "documented four" not in compared:
        lines += ["", f"The documented four are not compared: {', '.join(FOUR)} are not all there."]
    for part, title in (("before", f"Before {split}, where the settings were chosen"), ("from", f"From {split}")):
        lines += [
            "",
            f"## {title}",
            "",
            "| members that vote | rows | log-loss | skill, % | difference, 1e-4 nats | p |",
            "|---|---|---|---|---|---|",
            *(_row(name, each[part]) for name, each in compared.items()),
        ]
    lines += [
        "",
        "## Who votes",
        "",
        "| from | members | |",
        "|---|---|---|",
        *(f"| {term['from'][:10]} | {', '.join(term['members'])} | {term['reason']} |" for term in found["terms"]),
        "",
        "Days: " + ", ".join(f"{name} {days:g}" for name, days in _by_days(found["days"])) + ".",
        "",
        "## Settings that were tried",
        "",
        f"| days | margin | tenure, days | changes | log-loss before {split} | from then on |",
        "|---|---|---|---|---|---|",
        *(
            f"| {each['days']} | {each['margin']:g} | {each['tenure_days']} | {each['changes']} | "
            f"{each['log_loss_before']:.5f} | {each['log_loss_from']:.5f} |"
            for each in found["tried"]
        ),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, figure: Mapping[str, Any]) -> str:
    against = figure["against"]
    cells = [f"{figure['rows']:,}", f"{figure['log_loss']:.5f}", f"{100 * figure['skill']:+.3f}", "", ""]
    if against is not None:
        low, high = (1e4 * end for end in against["log_loss_ci"])
        cells[3] = f"{1e4 * against['log_loss']:+.2f} ({low:+.2f} to {high:+.2f})"
        cells[4] = "" if against["p_value"] is None else f"{against['p_value']:.3f}"
    return f"| {name} | {' | '.join(cells)} |"


def _by_days(days: Mapping[str, float]) -> Sequence[tuple[str, float]]:
    return sorted(days.items(), key=lambda each: -each[1])


if __name__ == "__main__":
    raise SystemExit(main())
