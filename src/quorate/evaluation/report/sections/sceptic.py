"""Everything statistical: scores and their baselines, selection bias, decisions, features. Folded on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quorate.evaluation.report.agreement_table import agreement_table
from quorate.evaluation.report.breakdown_tables import (
    decision_table,
    gate_table,
    importance_table,
    month_table,
    policy_criteria_table,
    policy_table,
    probability_table,
    selection_bias_table,
    signal_table,
)
from quorate.evaluation.report.charts.score_charts import (
    confusion_table,
    coverage_chart,
    membership_strips,
    reliability_chart,
    skill_chart,
)
from quorate.evaluation.report.contribution_table import contribution_table
from quorate.evaluation.report.evidence_table import evidence_table
from quorate.evaluation.report.feature_selection_table import fold_choice_table
from quorate.evaluation.report.floor_table import floor_table
from quorate.evaluation.report.page.template import Html, Page
from quorate.evaluation.report.panel_tables import panel_tables
from quorate.evaluation.report.return_tables import return_table
from quorate.evaluation.report.selection_table import selection_table
from quorate.evaluation.report.skill_tables import group_table, skill_table
from quorate.evaluation.report.tables import (
    BASELINES,
    baseline_table,
    cost_table,
    criteria_table,
    fold_table,
    money_table,
    score_table,
    trade_table,
)

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

Figures = dict[str, Any]

_SELECTION_BIAS = ("deflation", "overfitting")  # figures with an explanation under `about`


def sceptic(page: Page, run: ReportedRun) -> Html:
    """All groups of tables and charts that the run has figures for."""
    figures = {**run.figures, "criteria": run.criteria}
    scores = _returns(page, figures) if run.recipe == "stack" else _scores(page, figures)
    return Html(
        "".join(
            (
                page.group("Success criteria in full", page.table(criteria_table(figures), words=True)),
                _account(page, figures),
                _selection_bias(page, figures),
                scores,
                _decisions(page, figures),
                _features(page, figures),
            )
        )
    )


def _account(page: Page, figures: Figures) -> Html:
    return page.group(
        "Account beside its baselines",
        page.table(money_table(figures)),
        page.row(page.table(cost_table(figures)), page.table(trade_table(figures))),
        page.table(month_table(figures)),
        *(page.table(table) for table in panel_tables(figures)),
    )


def _selection_bias(page: Page, figures: Figures) -> Html:
    return page.group(
        "Selection bias",
        page.row(
            page.table(selection_bias_table(figures)),
            page.prose("Interpretation", [figures[name]["about"] for name in _SELECTION_BIAS if name in figures]),
        ),
        page.table(policy_table(figures)),
        page.table(policy_criteria_table(figures)),
        page.table(signal_table(figures)),
        page.table(floor_table(figures.get("floors"))),
        page.table(evidence_table(figures)),
    )


def _returns(page: Page, figures: Figures) -> Html:
    """The predicted returns of a stack."""
    return page.group("Predicted returns", page.table(return_table(figures)))


def _scores(page: Page, figures: Figures) -> Html:
    rows = (
        f"{figures['rows']:,} bars are labelled. Each model is measured on those on which it voted, which the tables "
        "count; raw scores and probabilities are compared on the bars that have both."
    )
    return page.group(
        "Scores",
        Html(f'<p class="muted">{rows}</p>'),
        page.table(score_table(figures)),
        page.table(skill_table(figures, BASELINES)),
        page.table(group_table(figures)),
        page.table(agreement_table(figures.get("agreement"))),
        page.chart(
            membership_strips(figures.get("selection")),
            "Members that voted",
            "chosen at midnight by the labels of earlier days",
        ),
        page.table(selection_table(figures.get("selection"))),
        page.prose("Beside log_har", _beside_log_har(figures)),
        page.table(baseline_table(figures)),
        page.prose("Calibration", calibration_sentences(figures)),
        page.table(probability_table(figures)),
        page.table(fold_table(figures)),
        page.row(
            page.chart(skill_chart(figures), "Skill over the class prior by month", "bars: the ensemble's interval"),
            page.chart(reliability_chart(figures), "Reliability", "raw scores; the larger a point, the more rows"),
            page.chart(confusion_table(figures), "Confusion", "true class against the class of the largest mean score"),
        ),
    )


def calibration_sentences(figures: Figures) -> list[str]:
    """Whether calibration helped on these rows, in a sentence; none without calibration.

    >>> row = {"score": {"skill_vs_prior": 0.024, "n": 10}, "probability": {"skill_vs_prior": -0.078}}
    >>> calibration_sentences({"probabilities": {"ensemble": row, "members": {}}})
    ['Calibration hurt the ensemble on these rows: skill -7.80 % calibrated, +2.40 % raw.']
    """
    found = (figures.get("probabilities") or {}).get("ensemble")
    raw, calibrated = (found[kind]["skill_vs_prior"] for kind in ("score", "probability")) if found else (None, None)
    if raw is None or calibrated is None:
        return []
    shown, before = f"{100 * calibrated:+.2f} %", f"{100 * raw:+.2f} %"
    if shown == before:
        return [f"Calibration changed nothing for the ensemble on these rows: skill {shown}."]
    effect = "hurt" if calibrated < raw else "helped"
    return [f"Calibration {effect} the ensemble on these rows: skill {shown} calibrated, {before} raw."]


def _beside_log_har(figures: Figures) -> list[str]:
    """One sentence about models that know nothing but volatility; none where log-HAR was not evaluated."""
    found = figures.get("only_volatility")
    return [found["about"]] if found and found["about"] else []


def _decisions(page: Page, figures: Figures) -> Html:
    return page.group(
        "Decisions",
        page.row(
            page.table(decision_table(figures)),
            page.chart(coverage_chart(figures), "Win rate by coverage", "dotted: 50 %; held for the target's horizon"),
        ),
        page.table(gate_table(figures)),
    )


def _features(page: Page, figures: Figures) -> Html:
    chosen = figures.get("feature_selection")
    return page.group(
        "Features",
        page.table(importance_table(figures)),
        page.prose("Permutation importance", [text for text in [figures.get("importance", {}).get("about")] if text]),
        page.table(fold_choice_table(figures)),
        page.prose("Choice of the columns", [chosen["about"]] if chosen else []),
        page.table(contribution_table(figures)),
    )
