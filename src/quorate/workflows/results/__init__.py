"""What workflows return: documents, tables and a headline for notebooks."""

from quorate.workflows.results.evaluation import Evaluation
from quorate.workflows.results.headline import Headline

__all__ = ["Evaluation", "Headline"]
