"""Matrix to scores: the members of the ensemble, their common interface, and the fallback rules."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.base import FitRequest as FitRequest
    from quorate.models.base import Model as Model
    from quorate.models.base import StoppingRows as StoppingRows
    from quorate.models.base import Task as Task
    from quorate.models.registry import build as build
    from quorate.models.registry import names as names
    from quorate.models.rules import RuleActions as RuleActions
    from quorate.models.rules import rule_actions as rule_actions
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "base": "FitRequest Model StoppingRows Task",
            "registry": "build names",
            "rules": "RuleActions rule_actions",
        },
    )
