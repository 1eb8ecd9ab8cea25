"""The app on a port of this machine."""

from __future__ import annotations

import socket
import webbrowser
from pathlib import Path

from harness.errors import UserError

LOOPBACK = "127.0.0.1"


def serve(folder: Path, port: int, *, browser: bool = True) -> None:
    """Serve the app over the folder until Ctrl-C.

    Raises:
        UserError: the extra is not installed, or the port is taken.
    """
    try:
        import uvicorn

        from harness.viewer.app.build import build
        from harness.viewer.app.desk import Desk
    except ImportError as error:
        raise UserError(f"The app needs {error.name}: pip install 'tracktwo[serve]'.") from error
    listening = _listening(port)
    address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
    config = uvicorn.Config(build(Desk(folder)), log_level="warning", timeout_graceful_shutdown=2)
    print(f"{folder} is on {address}; Ctrl-C stops.", flush=True)  # noqa: T201 (for the person who started it)
    if browser:
        webbrowser.open(address)
    uvicorn.Server(config).run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen()  # so that whoever follows the printed address at once is answered
    except OSError as error:
        listening.close()
        raise UserError(
            f"Port {port} on this machine is taken ({error.strerror}); name another with --port, "
            "or 0 for a free one."
        ) from error
    return listening
