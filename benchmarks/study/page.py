"""Markdown pages of the study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_HEADER = ("what", "skill against the prior", "AUC", "rank IC", "held", "gross", "turnover", "net")


def selection(document: dict[str, Any]) -> str:
    """study.md: the selection on the span before the cut."""
    found, stages, verdict = document["trials"], document["stages"], document["verdict"]
    choice = document["choice"]
    lines = [
        "# Target, horizon and features: what was tried",
        "",
        f"`{document['command']}` on {document['symbols']} perpetuals, 1h, {document['span'][0]} to "
        f"{document['span'][1]} exclusive; {document['cpu_seconds']:,} s of one core, {document['machine']}. Skill is "
        "1 - log-loss / log-loss of the training rows' class shares. Money is in basis points a day of the gross "
        "exposure of a portfolio that is long the top tenth and short the bottom tenth, at the best of its holding "
        "times; net is after 7 bp a side and after funding where that is known. Brackets are 95 % intervals over "
        "resampled weeks.",
        "",
        f"Rule: {document['rule']}",
        "",
        f"Frozen: **{choice['name']}, held {choice['hold']} h**. Of {verdict['trials']} trials the best of as many "
        f"without any skill is expected to have a daily Sharpe ratio of {verdict['sharpe_of_luck_day']:.3f}; the "
        f"probability that its true one is above that is {_share(verdict['deflated_sharpe'])} "
        f"({_share(verdict['undeflated_sharpe'])} above 0), and that of overfitting by choosing the best of the "
        f"screening {_share(verdict['overfitting'])}. Worth a change of the default recipe: "
        f"**{'yes' if verdict['change_the_default'] else 'no'}**.",
    ]
    for stage, names in stages.items():
        lines += ["", f"## {stage.capitalize()}", "", *_table(found, names)]
    lines += [
        "",
        "## Features against features",
        "",
        "Log-loss less than that of the same trees on the other columns, rows of both only.",
        "",
    ]
    lines += ["| what | against | less log-loss |", "|---|---|---:|"]
    lines += [
        f"| {pair['what']} | {pair['against']} | {_percent(pair['gain'], 2)} {_interval(pair['gain_ci'], 100, 2)} |"
        for pair in document["pairs"]
    ]
    lines += ["", "## The tenth that leans most, with the market in it", ""]
    lines += _sided(found, [*stages["screening"], *stages["finalists"], *stages["controls"]])
    for name, attacked in document["attacks"].items():
        lines += ["", f"## Attacks on: {name}, held {attacked['hold']} h", "", *_attacks(attacked)]
    return "\n".join([*lines, ""])


def last_look(document: dict[str, Any]) -> str:
    """study-final.md: the selected configuration on the span after the cut."""
    found = document["figures"]
    return "\n".join(
        [
            "# The last look",
            "",
            f"`{document['command']}`: {document['span'][0]} to {document['span'][1]} exclusive, the frozen choice "
            f"({document['choice']['name']}, held {document['choice']['hold']} h), trained on everything before each "
            f"of {document['folds']} test spans. Columns as in study.md.",
            "",
            *_table(found, [document["name"], *document["baselines"]], every=True),
            "",
            *_sided(found, [document["name"]]),
            "",
            *_attacks(document["attack"]),
            "",
        ]
    )


def _table(found: dict[str, Any], names: Iterable[str], *, every: bool = False) -> list[str]:
    lines = ["| " + " | ".join(_HEADER) + " |", "|---|" + "---:|" * (len(_HEADER) - 1)]
    for name in names:
        figures = found[name]
        held = figures["held"]
        best = max(held, key=lambda hold: held[hold]["net_bp"])
        for hold in held if every else [best]:
            money = held[hold]
            cells = [
                name,
                f"{_percent(figures.get('skill'))} {_interval(figures.get('skill_ci'), 100)}",
                f"{figures['auc']:.3f}" if "auc" in figures else "",
                f"{figures['rank_ic']:.3f} {_interval(figures['rank_ic_ci'], digits=3)}",
                f"{hold} h",
                f"{money['gross_bp']:.1f}",
                f"{money['turnover']:.2f}",
                f"{money['net_bp']:.1f} {_interval(money['net_bp_ci'])}",
            ]
            lines.append("| " + " | ".join(cell.strip() for cell in cells) + " |")
    return lines


def _sided(found: dict[str, Any], names: Iterable[str]) -> list[str]:
    lines = [
        "| what | trades | long | gross bp a trade | beside the market, bp a trade |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in names:
        sided = found[name]["directional"]
        if not sided["trades"]:
            lines.append(f"| {name} | 0 | | | |")
            continue
        lines.append(
            f"| {name} | {sided['trades']:,} | {sided['longs'] / sided['trades']:.0%} | "
            f"{sided['gross_bp']:.0f} {_interval(sided['gross_bp_ci'], digits=0)} | "
            f"{sided['beside_market_bp']:.0f} {_interval(sided['beside_market_bp_ci'], digits=0)} |"
        )
    return lines


def _attacks(found: dict[str, Any]) -> list[str]:
    whole, market, weeks = found["whole"], found["market"], found["weeks"]
    symbols, equal, traded = found["symbols"], found["among_equal_volatility"], found["most_traded_symbols"]
    left = symbols["without_the_best"]
    best = ", ".join(f"{name.partition('/')[0]} {value:.1f}" for name, value in list(symbols["best"].items())[:3])
    months = ", ".join(f"{month} {net:.0f}" for month, net in found["months"].items())
    rows = [
        ("as it is", f"gross {whole['gross_bp']:.1f} {_interval(whole['gross_bp_ci'])}, net {_net(whole)}"),
        (
            "sides, before costs",
            f"long {whole['long_bp']:.1f}, short {whole['short_bp']:.1f}; beside the market long "
            f"{market['long_beside_market_bp']:.1f}, short {market['short_beside_market_bp']:.1f}",
        ),
        (
            "funding",
            f"{whole['funding_bp']:.1f} paid, known for {_share(whole['funding_known'])} of the exposure",
        ),
        (
            "market",
            f"it made {market['market_bp']:.1f} a day; beta {market['beta']:.2f}, net beside it "
            f"{market['net_bp_beside']:.1f} {_interval(market['net_bp_beside_ci'])}; on days it rose "
            f"{market['rising_days_bp']:.1f}, on days it fell {market['falling_days_bp']:.1f}",
        ),
        (
            "symbols",
            f"{_share(symbols['share_positive'])} brought something before costs, most of all {best}; without the best "
            f"{left['left_out']} net {_net(left)}",
        ),
        (
            "weeks",
            f"{_share(weeks['share_positive'])} of {weeks['weeks']} above 0; best {weeks['best_bp']:.0f}, worst "
            f"{weeks['worst_bp']:.0f} bp a week; net without the best {weeks['net_bp_without_the_best']:.1f}",
        ),
        ("months, net", months),
        (
            f"the {traded['symbols']} most traded only",
            f"rank IC {traded['rank_ic']:.3f} {_interval(traded['rank_ic_ci'], digits=3)}, net {_net(traded)}",
        ),
        (
            "ranked among symbols about as volatile",
            f"rank IC {equal['rank_ic']:.3f} {_interval(equal['rank_ic_ci'], digits=3)}, net {_net(equal)}",
        ),
        (
            "rank correlation with",
            ", ".join(f"{name} {value:.2f}" for name, value in found["likeness"].items()),
        ),
        (f"the top and bottom {found['wider']['share']:.0%}", f"net {_net(found['wider'])}"),
    ]
    return ["| attack | basis points a day |", "|---|---|", *(f"| {what} | {said} |" for what, said in rows)]


def _net(money: dict[str, Any]) -> str:
    return f"{money['net_bp']:.1f} {_interval(money['net_bp_ci'])}"


def _interval(ends: Sequence[float] | None, scale: float = 1, digits: int = 1) -> str:
    return "" if ends is None else f"[{scale * ends[0]:.{digits}f}, {scale * ends[1]:.{digits}f}]"


def _percent(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}%}"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0%}"
