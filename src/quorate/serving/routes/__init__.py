"""The routes of a service: a file a noun, each with a function that makes an `APIRouter` for a `Service`."""

__all__: list[str] = []
