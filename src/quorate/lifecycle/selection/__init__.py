"""The selection: which members of a large bundle vote, by the outcomes of the bars since its training."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.lifecycle.selection.check import check_selection as check_selection
    from quorate.lifecycle.selection.check import selection_history as selection_history
    from quorate.lifecycle.selection.selection_check import SelectedMember as SelectedMember
    from quorate.lifecycle.selection.selection_check import SelectionCheck as SelectionCheck
    from quorate.lifecycle.selection.stored_selection import read_selection as read_selection
    from quorate.lifecycle.selection.stored_selection import write_selection as write_selection
    from quorate.lifecycle.selection.watch import watch_selection as watch_selection
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "check": "check_selection selection_history",
            "selection_check": "SelectedMember SelectionCheck",
            "stored_selection": "read_selection write_selection",
            "watch": "watch_selection",
        },
    )
