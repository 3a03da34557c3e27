"""Result of a leakage check."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from quorate.core.errors import EvaluationError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

LeakTest = Literal["truncation", "perturbation", "shuffled labels", "implausible AUC"]


@dataclass(frozen=True, slots=True)
class Leak:
    """One column or model that uses information from the future.

    Attributes:
        name: of the column or model.
        test: that detected it.
        found: description of the evidence.
    """

    name: str
    test: LeakTest
    found: str

    def __str__(self) -> str:
        return f"{self.name}: {self.found} ({self.test})"


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """Result of `check_features`, `check_strategy` or `check_model`.

    Attributes:
        leaks: found, one for each name and test.
        tests: that were made.
    """

    leaks: tuple[Leak, ...]
    tests: tuple[LeakTest, ...]

    @property
    def clean(self) -> bool:
        """Whether no leak was found. This is no proof that there is none."""
        return not self.leaks

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the leaking columns and models, each once."""
        return tuple(dict.fromkeys(leak.name for leak in self.leaks))

    def __str__(self) -> str:
        if self.clean:
            return f"no leak found by {', '.join(self.tests)}"
        return "\n".join(["LOOK-AHEAD", *(f"  {leak}" for leak in self.leaks)])

    def _repr_html_(self) -> str:
        """The report in a notebook: one line if clean, else a table of the leaks."""
        if self.clean:
            return f"<p>{escape(str(self))}</p>"
        rows = "".join(
            f"<tr><td>{escape(leak.name)}</td><td>{escape(leak.test)}</td><td>{escape(leak.found)}</td></tr>"
            for leak in self.leaks
        )
        head = "<tr><th>name</th><th>test</th><th>found</th></tr>"
        return f"<p><strong>LOOK-AHEAD</strong></p><table><thead>{head}</thead><tbody>{rows}</tbody></table>"

    def to_pandas(self) -> pd.DataFrame:
        """The leaks as a data frame: one row a leak, columns `name`, `test` and `found`; empty if clean.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError(
                "make a data frame of the leaks",
                found="no pandas",
                expected="pandas",
                remedy="Run: pip install 'quorate[pandas]'",
            ) from error
        rows = [(leak.name, leak.test, leak.found) for leak in self.leaks]
        return pd.DataFrame(rows, columns=["name", "test", "found"])

    def require_clean(self) -> None:
        """Raise if a leak was found.

        Raises:
            EvaluationError: names every leaking column and model.
        """
        if self.leaks:
            raise EvaluationError(
                "require features and models without leaks",
                found="; ".join(map(str, self.leaks)),
                expected="columns and models that do not depend on later bars",
                remedy="Compute each row from bars up to it, fit on earlier rows only, keep targets out of features.",
            )
