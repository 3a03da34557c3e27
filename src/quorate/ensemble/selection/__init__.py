"""Which members of a large ensemble vote when, by the outcomes that were known."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.ensemble.selection.membership import EVERYBODY as EVERYBODY
    from quorate.ensemble.selection.membership import Membership as Membership
    from quorate.ensemble.selection.membership import Term as Term
    from quorate.ensemble.selection.rule import choose_members as choose_members
    from quorate.ensemble.selection.set_losses import SetLosses as SetLosses
else:
    # Who predicts reads a membership alone, without the labels by which it is chosen.
    __getattr__, __all__ = deferred(
        __name__,
        {
            "membership": "EVERYBODY Membership Term",
            "rule": "choose_members",
            "set_losses": "SetLosses",
        },
    )
