"""Boosted trees, to which trees can be added on newer rows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

from quorate.core.errors import ModelError
from quorate.models.base import Model, Target
from quorate.models.input_checks import Matrix


class BoostedTrees(Model):
    """A member of boosted trees."""

    def boost_on(self, X: Matrix, y: Target, trees: int, rate: float) -> Self:
        """The same model with more trees, which are fitted on what it gets wrong on newer rows.

        The model itself stays as it is; the shares of rows in its settings are of the newer rows.

        Args:
            X: (B, F) float32, no NaN.
            y: (B,) as of `fit`.
            trees: to add, for each class; at least 1.
            rate: of the learning rate of the settings, above 0.

        Raises:
            ModelError: not fitted, rows that do not fit, or the library's error.
        """
        if trees < 1 or not rate > 0:
            raise ModelError(
                f"add trees to {self.name}", found=f"{trees} trees at a rate of {rate}", expected="more than 0 of both"
            )
        self._require_rows(X, y, None)
        columns = self._require_fitted(self.columns)
        if X.shape[1] != columns:
            raise ModelError(
                f"add trees to {self.name}", found=f"{X.shape[1]} columns", expected=f"{columns}, as it was fitted on"
            )
        return self._boost_on(X, y, trees, rate)

    @abstractmethod
    def _boost_on(self, X: Matrix, y: Target, trees: int, rate: float) -> Self:
        """`boost_on` on checked rows."""
