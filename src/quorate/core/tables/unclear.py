"""What a table leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.core.errors import DataError


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Something that the reader does not guess.

    Attributes:
        found: what the table shows.
        option: the argument that answers it, such as date_format.
        answer: a value for it that may be right.
        other: another one; empty for none.
    """

    found: str
    option: str
    answer: str
    other: str = ""


class UnclearTableError(DataError):
    """A table whose rows can be read in more than one way.

    Attributes:
        questions: what is to be answered.
    """

    questions: tuple[OpenQuestion, ...] = ()

    @classmethod
    def of(
        cls, attempted: str, questions: Sequence[OpenQuestion], *, expected: str = "", remedy: str = ""
    ) -> UnclearTableError:
        """Build the error for several questions."""
        error = cls(
            attempted,
            found="; ".join(question.found for question in questions),
            expected=expected or "rows that can be read in one way",
            remedy=remedy
            or "Answer with " + ", ".join(f"`{each.option}`: {_choices(each)}" for each in questions) + ".",
        )
        error.questions = tuple(questions)
        return error


def _choices(question: OpenQuestion) -> str:
    return f"{question.answer} or {question.other}" if question.other else question.answer
