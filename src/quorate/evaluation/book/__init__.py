"""Judgement of a book: beside holding, by sleeve, under worse conditions, and against chance."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.book.judge import BookJudgement as BookJudgement
    from quorate.evaluation.book.judge import judge_book as judge_book
    from quorate.evaluation.book.options import JudgementOptions as JudgementOptions
else:
    __getattr__, __all__ = deferred(__name__, {"judge": "BookJudgement judge_book", "options": "JudgementOptions"})
