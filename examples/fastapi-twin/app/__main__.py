"""Listens: `python -m app`."""

import socket
import sys

import uvicorn
from pydantic import ValidationError

from .settings import get_settings


def main() -> None:
    try:
        settings = get_settings()
    except ValidationError as error:
        for fault in error.errors():
            print(": ".join([*map(str.upper, map(str, fault["loc"])), fault["msg"]]), file=sys.stderr)
        sys.exit(2)
    from .main import app

    host, _, port = settings.bind_addr.rpartition(":")
    listener = socket.create_server((host, int(port)), backlog=2048)
    print(f"listening on http://{host}:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=10)).run(sockets=[listener])


if __name__ == "__main__":
    main()
