"""Limits of a service: bodies, work, requests in progress, event streams."""

__all__: list[str] = []
