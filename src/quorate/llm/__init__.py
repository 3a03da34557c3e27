"""The panel of language models: replies on entries, which can confirm, shrink or veto them, and nothing else."""

from quorate.llm.views import ROLES, PanelSource, PanelView, RoleAbstention, RoleReply

__all__ = ["ROLES", "PanelSource", "PanelView", "RoleAbstention", "RoleReply"]
