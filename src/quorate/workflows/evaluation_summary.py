"""The figures of an evaluation or of a training, without the tables that only a report draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.errors import EvaluationError
from quorate.core.untrusted_json import InvalidJSONError, read_json

if TYPE_CHECKING:
    from quorate.workflows.results.bundle_details import BundleDetails

# What every document of `quorate evaluate --json` has.
_ALWAYS = ("rows", "members", "ensemble", "baselines", "trades", "criteria")
# What was evaluated, on which rows, and what limits the figures.
_SUBJECT = (
    *("bundle", "bundles", "models", "mode", "features", "timeframe", "from", "to", "days", "rows", "symbols"),
    *("synthetic", "in_training_span", "unseen_symbols", "currency", "closed_because", "warnings", "criteria"),
)
# Figures, some of which have tables inside.
_MEASURED = (
    *("intervals", "quiet_bars", "ensemble", "members", "baselines", "differences", "decisions", "trades"),
    *("deflation", "overfitting", "provenance"),
)
# Lists up to this length are values, such as an interval or the probabilities of the three classes.
_LONGEST_VALUE = 3


def read_evaluation(path: Path) -> dict[str, Any]:
    """Read a document of `quorate evaluate --json`.

    Args:
        path: the file; a missing figure in it is null.

    Raises:
        EvaluationError: a file that cannot be read, or another document.
    """
    attempted, expected = f"read the evaluation {path}", "the document that `quorate evaluate --json` prints"
    try:
        document = read_json(path)
    except OSError as error:
        raise EvaluationError(attempted, found=error.strerror or str(error), expected=expected) from error
    except InvalidJSONError as error:
        raise EvaluationError(attempted, found=str(error), expected=expected) from error
    if not isinstance(document, dict):
        raise EvaluationError(attempted, found=f"a {type(document).__name__}", expected=expected)
    missing = [name for name in _ALWAYS if name not in document]
    if missing:
        raise EvaluationError(attempted, found=f"a document without {', '.join(missing)}", expected=expected)
    return document


def evaluation_figures(document: Mapping[str, Any]) -> dict[str, Any]:
    """Subject, scores, baselines, trades and criteria of an evaluation, each figure with its interval.

    Args:
        document: of `quorate evaluate --json`.

    Returns:
        The same keys with the same values; left out are tables, such as those of every threshold, month or fold.

    >>> ensemble = {"log_loss": 0.9, "log_loss_ci": [0.8, 1.0], "confusion": [{"SELL": 1}]}
    >>> evaluation_figures({"rows": 10, "ensemble": ensemble, "gates": [{"gate": "floor"}]})
    {'rows': 10, 'ensemble': {'log_loss': 0.9, 'log_loss_ci': [0.8, 1.0]}}
    """
    subject = {name: document[name] for name in _SUBJECT if name in document}
    return subject | {name: _without_tables(document[name]) for name in _MEASURED if name in document}


def training_figures(details: BundleDetails) -> dict[str, Any]:
    """What a bundle's training measured on rows that it held out.

    Args:
        details: of the bundle.

    Returns:
        The keys of `quorate bundle show --json` that say what was trained, on which rows, and with which figures;
        tables are left out.
    """
    document = details.to_json()
    names = (
        *("id", "champion", "recipe", "decides", "timeframe", "symbols", "synthetic", "training_span", "rows"),
        *("classes", "class_prior", "target", "policy", "members"),
    )
    return {name: document[name] for name in names if name in document} | {
        "metrics": _without_tables(document["metrics"])
    }


def _without_tables(value: Any) -> Any:
    """A value without lists of rows, at any depth."""
    if isinstance(value, Mapping):
        return {name: _without_tables(inner) for name, inner in value.items() if not _is_table(inner)}
    return value


def _is_table(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return len(value) > _LONGEST_VALUE or any(isinstance(inner, list | dict) for inner in value)
