"""Run all processes of the portal on one machine, with demonstration data, until Ctrl-C.

Uses only the standard library and our own module of the broker. Each process writes to its own file
in ``var/log``; what the user needs to know is printed here.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

VAR = Path(os.environ.get("VAR_DIR", ROOT / "var")).resolve()
LOGS = VAR / "log"
PORT = os.environ.get("PORT", "8000")
ADDRESS = f"http://127.0.0.1:{PORT}/"
START_TIMEOUT = 90
STOP_TIMEOUT = 20
MOST_RESTARTS = 5  # of one process within a minute; then something is wrong that a restart keeps


class CannotStart(Exception):
    """The portal cannot start; the message says what to do."""


class Stopped(Exception):
    """Ctrl-C, or a signal to stop."""


class Child:
    """One process of the portal, in its own process group, with its output in a file."""

    def __init__(self, name: str, words: list[str], env: dict[str, str]) -> None:
        self.name = name
        self.words, self.env = words, dict(env)
        self.log = LOGS / f"{name}.log"
        self.restarts: list[float] = []  # when, by the monotonic clock
        self.log.unlink(missing_ok=True)
        self.start()

    def start(self) -> None:
        """Start the program. Its output is added to that of the run before."""
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.words,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only this program, which stops the others
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - there are no threads here
            )

    def restart(self) -> None:
        """Start the program again after it has ended.

        :raises CannotStart: it was restarted too often within a minute.
        """
        now = time.monotonic()
        self.restarts = [moment for moment in self.restarts if now - moment < 60]
        if len(self.restarts) >= MOST_RESTARTS:
            raise CannotStart(self.describe_end())
        # What the killed process left in its group would hold its port.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        print(f"The {self.name} has ended (code {self.popen.returncode}); starting it again")
        self.restarts.append(now)
        self.start()

    def describe_end(self) -> str:
        return (
            f"The {self.name} has ended (code {self.popen.returncode}). "
            f"The end of {self.log.relative_to(VAR.parent)}:\n{self.log_tail}"
        )

    @property
    def has_ended(self) -> bool:
        return self.popen.poll() is not None

    @property
    def log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line[:200]}" for line in lines[-15:])

    def request_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.popen.terminate()

    def wait_until_stopped(self, by: float) -> None:
        """Wait until a moment, then kill what is left of its process group."""
        try:
            self.popen.wait(max(0.1, by - time.monotonic()))
        except subprocess.TimeoutExpired:
            print(f"  {self.name} does not stop; killing it")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


def stop_all(children: list[Child]) -> None:
    """Stop all processes at once, and the broker last, because the others disconnect from it."""
    for group in ([c for c in children if c.name != "broker"], children[:1]):
        for child in group:
            child.request_stop()
        by = time.monotonic() + STOP_TIMEOUT
        for child in group:
            child.wait_until_stopped(by)


def _end_with_parent() -> None:
    """Let Linux terminate this process if the program that started it dies first."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def environment() -> dict[str, str]:
    env = {
        "PORTAL_URL": ADDRESS,
        "DEBUG": "1",
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "imr_portal.settings",
        "WEB_SHARE_MEMORY": "1",
        **os.environ,
        "VAR_DIR": str(VAR),
        "PYTHONUNBUFFERED": "1",
    }
    env.pop("PYTHONHOME", None)
    return env


def run(command: str, *words: str, env: dict[str, str]) -> str:
    """Run a management command and return its output; raise with its output if it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", command, *words],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        raise CannotStart(f"manage.py {command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def check_port_is_free() -> None:
    """Refuse to start if the port is in use, instead of failing later in a log file."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(PORT)))
        except ValueError as error:
            raise CannotStart(f"PORT is {PORT!r}. Set it to a number.") from error
        except OSError as error:
            raise CannotStart(
                f"Port {PORT} cannot be used ({error.strerror}). "
                f"Stop what uses it, or choose another: PORT=8001 script/server"
            ) from error


def wait_for(name: str, ready: "object", children: list[Child]) -> None:
    """Wait until a service answers; give up if a process has ended."""
    end = time.monotonic() + START_TIMEOUT
    while not ready():  # type: ignore[operator]
        check_children(children)
        if time.monotonic() > end:
            raise CannotStart(f"{name} did not answer within {START_TIMEOUT} seconds.")
        time.sleep(0.05)


def check_children(children: list[Child]) -> None:
    for child in children:
        if child.has_ended:
            raise CannotStart(child.describe_end())


def restart_ended(children: list[Child]) -> None:
    """Start every process again that was killed or has crashed."""
    for child in children:
        if child.has_ended:
            child.restart()


def web_answers() -> bool:
    with socket.socket() as client:
        client.settimeout(2)
        try:
            client.connect(("127.0.0.1", int(PORT)))
            client.sendall(b"GET /livez HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return b" 200 " in client.recv(64)
        except OSError:
            return False


def start_broker(env: dict[str, str], children: list[Child]) -> None:
    """Start a private broker, unless REDIS_URL is set."""
    from imr_portal import broker

    if env.get("REDIS_URL"):
        return
    path = broker.socket_path(VAR)
    path.unlink(missing_ok=True)
    try:
        words = broker.server_command(path, folder=VAR)
    except broker.NoBroker as error:
        raise CannotStart(str(error)) from error
    print("Starting the broker")
    children.append(Child("broker", words, env))
    wait_for("The broker", lambda: broker.is_answering(path), children)
    env["REDIS_URL"] = broker.socket_url(path)


def start_portal(env: dict[str, str], children: list[Child]) -> None:
    print("Starting web, worker, and relay with scheduler")
    programs = {
        # One child typesets the letters of a demonstration soon enough.
        "worker": [sys.executable, "-m", "celery", "-A", "imr_portal", "worker",
                   "--concurrency", "1", "--without-gossip", "--without-mingle"],
        # The sweep for lost letters runs in the relay too.
        "relay": [sys.executable, "manage.py", "relay", "--schedule", str(VAR / "scheduler")],
        "web": [sys.executable, "-m", "gunicorn", "--config", "python:imr_portal.web_server",
                "--bind", f"127.0.0.1:{PORT}", "imr_portal.wsgi"],
    }  # fmt: skip
    for name, words in programs.items():
        children.append(Child(name, words, env))
    wait_for("The web server", web_answers, children)


def delete_demonstration() -> None:
    """Delete the database and files of the demonstration."""
    print("Starting with an empty database")
    for path in VAR.glob("portal.sqlite3*"):
        path.unlink()
    shutil.rmtree(VAR / "files", ignore_errors=True)


def move_earlier_database(env: dict[str, str]) -> None:
    """Move away a database whose migrations no longer exist, to start with a new one.

    Until the first release migrations are rewritten, so a database of an earlier version cannot be
    migrated.
    """
    if not env.get("DATABASE_URL") and not (VAR / "portal.sqlite3").exists():
        return
    if not run("unknown_migrations", env=env).strip():
        return
    if env.get("DATABASE_URL"):
        raise CannotStart(
            "The database in DATABASE_URL was created by an earlier version whose migrations no "
            "longer exist. Set DATABASE_URL to an empty database."
        )
    backup_folder = VAR / time.strftime("earlier-%Y-%m-%d-%H%M%S")
    backup_folder.mkdir()
    for path in [*VAR.glob("portal.sqlite3*"), *VAR.glob("files")]:
        path.rename(backup_folder / path.name)
    print("The database was created by an earlier version and cannot be migrated.")
    print(f"It was moved to {backup_folder}; starting with a new one.")


def serve(children: list[Child]) -> None:
    env = environment()
    check_port_is_free()
    if os.environ.get("RESET") == "1":
        delete_demonstration()
    move_earlier_database(env)
    start_broker(env, children)
    print("Preparing the database (some seconds the first time)")
    run("migrate", "--no-input", env=env)
    run("collectstatic", "--no-input", env=env)
    start_portal(env, children)
    print("Loading the demonstration, unless it is loaded already")
    summary = run("seed_demo", env=env).strip()
    summary = re.sub(r"(?<=\s)/(?=\w)", ADDRESS, summary)  # turn paths into links
    print()
    print("=" * 78)
    print(f"IMR Portal is running at {ADDRESS}")
    print()
    print(summary)
    print()
    print(f"Logs: {LOGS}")
    print("Ctrl-C stops everything; the data stays.")
    print("=" * 78, flush=True)
    while True:
        restart_ended(children)
        time.sleep(0.3)


def _raise_stopped(number: int, frame: FrameType | None) -> None:
    raise Stopped


def main() -> int:
    os.umask(0o077)  # the database and the files are readable by this account only
    LOGS.mkdir(parents=True, exist_ok=True)
    with (VAR / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("The portal is already running from this folder.", file=sys.stderr)
            return 1
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _raise_stopped)
        children: list[Child] = []
        code = 0
        try:
            serve(children)
        except Stopped:
            print("\nStopping")
        except CannotStart as error:
            print(f"\n{error}", file=sys.stderr, flush=True)
            code = 1
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            stop_all(children)
        if not code:
            print("Stopped. The data stays in", VAR)
        return code


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main())
