"""HTTP service: signals, bundles and health of one process, on FastAPI and uvicorn. Needs the extra `serve`."""

from quorate.serving.app import create_app
from quorate.serving.live.session import SessionSource
from quorate.serving.server import serve
from quorate.serving.service import Service

__all__ = ["Service", "SessionSource", "create_app", "serve"]
