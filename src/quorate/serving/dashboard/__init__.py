"""The dashboard: pages of HTML for people, from what the service has in memory."""

from quorate.serving.dashboard.routes import dashboard_routes

__all__ = ["dashboard_routes"]
