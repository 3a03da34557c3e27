"""Markdown pages of the study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_HEADER = ("configuration", "skill", "AUC", "rank IC", "held", "gross", "turnover", "net")


def selection(document: dict[str, Any]) -> str:
    """study.md: the selection on the span before the cut."""
    found, stages, verdict = document["trials"], document["stages"], document["verdict"]
    choice = document["choice"]
    lines = [
        "# Target, horizon and features: all trials",
        "",
        f"`{document['command']}` on {document['symbols']} perpetuals, 1h, {document['span'][0]} to "
        f"{document['span'][1]} exclusive; {document['cpu_seconds']:,} CPU seconds, {document['machine']}. Skill is "
        "1 - log-loss / log-loss of the training rows' class shares. Results are in basis points per day of the "
        "gross exposure of a portfolio that is long the top tenth and short the bottom tenth, at the best of its "
        "holding times; net is after 7 bp per side and after funding where that is known. Brackets are 95 % intervals "
        "from resampled weeks.",
        "",
        f"Rule: {document['rule']}",
        "",
        f"Selected: **{choice['name']}, held {choice['hold']} h**. The expected daily Sharpe ratio of the best of "
        f"{verdict['trials']} trials without skill is {verdict['sharpe_of_luck_day']:.3f}; the probability that the "
        f"true one of the selected trial is above that is {_share(verdict['deflated_sharpe'])} "
        f"({_share(verdict['undeflated_sharpe'])} above 0), and the probability of backtest overfitting of the "
        f"screening is {_share(verdict['overfitting'])}. Change of the default recipe: "
        f"**{'yes' if verdict['change_the_default'] else 'no'}**.",
    ]
    for stage, names in stages.items():
        lines += ["", f"## {stage.capitalize()}", "", *_table(found, names)]
    lines += [
        "",
        "## Comparison of features",
        "",
        "Reduction in log-loss relative to the same trees on the other columns, on the rows of both.",
        "",
    ]
    lines += ["| columns | compared with | reduction in log-loss |", "|---|---|---:|"]
    lines += [
        f"| {pair['what']} | {pair['against']} | {_percent(pair['gain'], 2)} {_interval(pair['gain_ci'], 100, 2)} |"
        for pair in document["pairs"]
    ]
    lines += ["", "## Trades of the tenth with the most extreme scores, without hedging the market", ""]
    lines += _sided(found, [*stages["screening"], *stages["finalists"], *stages["controls"]])
    for name, checked in document["robustness"].items():
        lines += ["", f"## Robustness of: {name}, held {checked['hold']} h", "", *_robustness(checked)]
    return "\n".join([*lines, ""])


def last_look(document: dict[str, Any]) -> str:
    """study-final.md: the selected configuration on the span after the cut."""
    found = document["figures"]
    return "\n".join(
        [
            "# Final evaluation",
            "",
            f"`{document['command']}`: {document['span'][0]} to {document['span'][1]} exclusive, the selected "
            f"configuration ({document['choice']['name']}, held {document['choice']['hold']} h), trained on all rows "
            f"before each of {document['folds']} test spans. Columns as in study.md.",
            "",
            *_table(found, [document["name"], *document["baselines"]], every=True),
            "",
            *_sided(found, [document["name"]]),
            "",
            *_robustness(document["robustness"]),
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
        "| configuration | trades | long | gross, bp per trade | excess over the market, bp per trade |",
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


def _robustness(found: dict[str, Any]) -> list[str]:
    whole, market, weeks = found["whole"], found["market"], found["weeks"]
    symbols, equal, traded = found["symbols"], found["among_equal_volatility"], found["most_traded_symbols"]
    left = symbols["without_the_best"]
    best = ", ".join(f"{name.partition('/')[0]} {value:.1f}" for name, value in list(symbols["best"].items())[:3])
    months = ", ".join(f"{month} {net:.0f}" for month, net in found["months"].items())
    rows = [
        ("unchanged", f"gross {whole['gross_bp']:.1f} {_interval(whole['gross_bp_ci'])}, net {_net(whole)}"),
        (
            "sides, before costs",
            f"long {whole['long_bp']:.1f}, short {whole['short_bp']:.1f}; relative to the market long "
            f"{market['long_beside_market_bp']:.1f}, short {market['short_beside_market_bp']:.1f}",
        ),
        (
            "funding",
            f"{whole['funding_bp']:.1f} paid, known for {_share(whole['funding_known'])} of the exposure",
        ),
        (
            "market",
            f"its return {market['market_bp']:.1f}; beta {market['beta']:.2f}, net without beta "
            f"{market['net_bp_beside']:.1f} {_interval(market['net_bp_beside_ci'])}; on rising days "
            f"{market['rising_days_bp']:.1f}, on falling days {market['falling_days_bp']:.1f}",
        ),
        (
            "symbols",
            f"{_share(symbols['share_positive'])} positive before costs, the best {best}; without the best "
            f"{left['left_out']} net {_net(left)}",
        ),
        (
            "weeks",
            f"{_share(weeks['share_positive'])} of {weeks['weeks']} positive; best {weeks['best_bp']:.0f}, worst "
            f"{weeks['worst_bp']:.0f} bp per week; net without the best {weeks['net_bp_without_the_best']:.1f}",
        ),
        ("months, net", months),
        (
            f"the {traded['symbols']} symbols with the highest volume",
            f"rank IC {traded['rank_ic']:.3f} {_interval(traded['rank_ic_ci'], digits=3)}, net {_net(traded)}",
        ),
        (
            "ranked among symbols of similar volatility",
            f"rank IC {equal['rank_ic']:.3f} {_interval(equal['rank_ic_ci'], digits=3)}, net {_net(equal)}",
        ),
        (
            "rank correlation with",
            ", ".join(f"{name} {value:.2f}" for name, value in found["likeness"].items()),
        ),
        (f"the top and bottom {found['wider']['share']:.0%}", f"net {_net(found['wider'])}"),
    ]
    return ["| check | basis points per day |", "|---|---|", *(f"| {what} | {figures} |" for what, figures in rows)]


def _net(money: dict[str, Any]) -> str:
    return f"{money['net_bp']:.1f} {_interval(money['net_bp_ci'])}"


def _interval(ends: Sequence[float] | None, scale: float = 1, digits: int = 1) -> str:
    return "" if ends is None else f"[{scale * ends[0]:.{digits}f}, {scale * ends[1]:.{digits}f}]"


def _percent(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}%}"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0%}"
