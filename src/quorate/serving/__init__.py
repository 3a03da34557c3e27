"""HTTP service: signals, bundles and health of one process, on FastAPI and uvicorn. Needs the extra `serve`."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

# Imported when a name is first used: the command that makes a token needs no web framework.
if TYPE_CHECKING:
    from quorate.serving.app import create_app as create_app
    from quorate.serving.live.session import SessionSource as SessionSource
    from quorate.serving.server import serve as serve
    from quorate.serving.service import Service as Service
else:
    __getattr__, __all__ = deferred(
        __name__,
        {"app": "create_app", "live.session": "SessionSource", "server": "serve", "service": "Service"},
    )
