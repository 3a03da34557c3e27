"""Settings of a challenger that learns on."""

from __future__ import annotations

from dataclasses import dataclass, fields

from quorate.core.errors import SettingsError
from quorate.core.sections.models import ModelSettings, TreeSettings
from quorate.core.sections.networks import NetworkSettings
from quorate.core.sections.section import Section, require


def _members_with(kind: type) -> tuple[str, ...]:
    """Members whose section is of a kind."""
    default = ModelSettings()
    return tuple(field.name for field in fields(default) if isinstance(getattr(default, field.name), kind))


#: Members that can learn on: boosted trees, and networks.
ONLINE_TREES, ONLINE_NETWORKS = _members_with(TreeSettings), _members_with(NetworkSettings)


@dataclass(frozen=True, slots=True)
class OnlineSettings(Section):
    """Online learning: members of a bundle learn on from the newest rows whose labels have matured."""

    members: tuple[str, ...] = ()  # that learn on, where the bundle has them; [] for all boosted trees and networks
    every_bars: int = 24  # between two updates, at bars whose number since 1970 is a multiple of it
    trees: int = 5  # added to those of the bundle, for each class; every update begins at the bundle's own again
    rate: float = 0.5  # of these trees, as a share of the member's learning rate
    least_rows: int = 500  # of all markets, for trees; with fewer they stay as they are
    passes: int = 1  # of a network over its new windows and as many of the replay buffer, in batches of the member
    network_rate: float = 0.1  # of these steps, as a share of the member's learning rate
    replay_windows: int = 1_000  # in the replay buffer, an even sample of all that were learnt from; 0: none
    folder: str = "paper/online"  # what each challenge has learnt, one file each

    @property
    def learning(self) -> tuple[str, ...]:
        """The members that learn on, where a bundle has them."""
        return self.members or (*ONLINE_TREES, *ONLINE_NETWORKS)

    def __post_init__(self) -> None:
        known = (*ONLINE_TREES, *ONLINE_NETWORKS)
        object.__setattr__(self, "members", tuple(self.members))
        unknown = [name for name in self.members if name not in known]
        if unknown:
            raise SettingsError(
                "use the setting online.members", found=repr(unknown[0]), expected=f"some of {', '.join(known)}"
            )
        require("online", "every_bars", self.every_bars, 1, 200)
        require("online", "trees", self.trees, 1, 1_000)
        require("online", "rate", self.rate, 0.001, 1)
        require("online", "least_rows", self.least_rows, 1, 10_000_000)
        require("online", "passes", self.passes, 1, 100)
        require("online", "network_rate", self.network_rate, 0.0001, 1)
        require("online", "replay_windows", self.replay_windows, 0, 100_000)
