"""Matrix to scores: the members of the ensemble, behind one contract, and the rules for when there are none."""

from quorate.models.base import Later, Lesson, Model, Task
from quorate.models.registry import build, names
from quorate.models.rules import RuleActions, rule_actions

__all__ = ["Later", "Lesson", "Model", "RuleActions", "Task", "build", "names", "rule_actions"]
