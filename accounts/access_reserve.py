"""A preallocated file that takes entries of the access log while the database cannot.

A page with personal facts opens only if the access to it is recorded (45 CFR 164.312(b)). On a full
disk the database takes no row, but a file whose space was allocated before can be overwritten.
``accounts.services.record_access`` writes here if the database fails, and moves the entries into
the database when it works again. All processes on one machine share the file.

Each place begins with a checksum. A place that was torn by a power failure is moved to a second
file beside it, for a person to read; ``/readyz`` says that it is there.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from .models import AccessLogEntry

logger = structlog.get_logger(__name__)

SLOT_BYTES = 1024
SLOTS = 2048
_EMPTY = b"\0" * SLOT_BYTES
_SHOWN_LETTERS = 400  # of ``shown`` in one place; a longer list takes several


class ReserveFull(OSError):
    """The file has no free place, or does not exist and cannot be made."""


def reserve_path() -> Path:
    """The path of the file."""
    return Path(settings.VAR_DIR) / "access-entries.reserve"


def broken_path() -> Path:
    """The path of the file that keeps what was in damaged places."""
    return Path(settings.VAR_DIR) / "access-entries.broken"


def prepare_reserve() -> None:
    """Create the file with all its space, if it does not exist. Logs if there is no space."""
    try:
        _create_reserve()
    except OSError as error:
        logger.error("access_reserve_not_created", error=type(error).__name__)


def _create_reserve() -> None:
    path = reserve_path()
    if path.exists() and path.stat().st_size == SLOT_BYTES * SLOTS:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first, so that no process sees a file without its space.
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            # Written and not only allocated: some file systems need space to begin a file's blocks.
            for _ in range(SLOTS):
                out.write(_EMPTY)
            out.flush()
            os.fsync(out.fileno())
        # Fails if another process was faster. Its file is as good and may hold entries.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)


def add_reserved_entry(
    *,
    user_id: int,
    subject: str,
    reference: str,
    granted: bool,
    accessed_at: datetime,
    page: str = "",
    case_number: str = "",
    shown: str = "",
) -> None:
    """Write one entry into free places of the file, and sync it to the disk.

    A long list of numbers takes several places, each an entry of its own.

    :raises ReserveFull: there are not enough free places, or no file.
    """
    lines = [
        _build_line(
            {
                "user_id": user_id,
                "subject": subject,
                "reference": reference,
                "granted": granted,
                "accessed_at": accessed_at.isoformat(),
                "page": page,
                "case_number": case_number,
                "shown": part,
            }
        )
        for part in _split_numbers(shown)
    ]
    with _open_locked() as handle:
        all_free = (
            slot for slot in range(SLOTS) if os.pread(handle, 1, slot * SLOT_BYTES) == b"\0"
        )
        free = list(islice(all_free, len(lines)))
        if len(free) < len(lines):
            raise ReserveFull("The reserve of the access log is full.")
        for slot, line in zip(free, lines, strict=True):
            os.pwrite(handle, line, slot * SLOT_BYTES)
        os.fdatasync(handle)


def _build_line(entry: dict[str, Any]) -> bytes:
    """The content of one place: the checksum of the entry, then the entry."""
    content = json.dumps(entry, ensure_ascii=False).encode()
    line = b"%08x %s\n" % (zlib.crc32(content), content)
    if len(line) > SLOT_BYTES:
        raise ReserveFull("The entry is too long.")
    return line.ljust(SLOT_BYTES, b" ")


def _split_numbers(shown: str) -> list[str]:
    """Split a list of numbers into parts that fit into one place; no number is cut."""
    parts = [""]
    for number in shown.split():
        longer = f"{parts[-1]} {number}".strip()
        if len(longer) <= _SHOWN_LETTERS:
            parts[-1] = longer
        else:
            parts.append(number)
    return parts


def has_reserved_entries() -> bool:
    """Whether entries wait in the file. Cheap: the first place is filled first."""
    try:
        with reserve_path().open("rb") as file:
            return file.read(1) not in {b"", b"\0"}
    except OSError:
        return False


def count_reserved_entries() -> int:
    """The number of entries that wait in the file."""
    try:
        with _open_locked() as handle:
            return sum(1 for _ in _read_entries(handle))
    except ReserveFull:
        return 0


def move_reserved_entries() -> int:
    """Move all entries of the file into the database; return their number.

    :raises OSError: the file cannot be opened, or another process uses it now.
    """
    with _open_locked(wait=False) as handle:
        _set_broken_aside(handle)
        entries = list(_read_entries(handle))
        with transaction.atomic():
            for _, entry in entries:
                # A process that died after the commit left entries that are in the database.
                if not AccessLogEntry.objects.filter(**entry).exists():
                    AccessLogEntry.objects.create(**entry)
        # From the last to the first, because the first one shows whether entries wait.
        for slot, _ in reversed(entries):
            os.pwrite(handle, _EMPTY, slot * SLOT_BYTES)
        os.fdatasync(handle)
    return len(entries)


def has_broken_entries() -> bool:
    """Whether places were damaged. It stays true until a person removes the second file."""
    return broken_path().exists()


def _set_broken_aside(handle: int) -> None:
    """Move damaged places to the second file, so that the others can go into the database."""
    broken = [slot for slot, entry in _read_slots(handle) if entry is None]
    if not broken:
        return
    out = os.open(broken_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for slot in broken:
            os.write(out, os.pread(handle, SLOT_BYTES, slot * SLOT_BYTES).rstrip(b" \0\n") + b"\n")
        os.fsync(out)
    finally:
        os.close(out)
    for slot in reversed(broken):
        os.pwrite(handle, _EMPTY, slot * SLOT_BYTES)
    os.fdatasync(handle)
    logger.error("access_entries_broken", count=len(broken))


@contextmanager
def _open_locked(*, wait: bool = True) -> Iterator[int]:
    """Open the file and lock it against other processes and threads."""
    try:
        handle = os.open(reserve_path(), os.O_RDWR)
    except OSError as error:
        raise ReserveFull("The reserve of the access log does not exist.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield handle
    finally:
        os.close(handle)


def _read_entries(handle: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for slot, entry in _read_slots(handle):
        if entry is not None:
            yield slot, entry


def _read_slots(handle: int) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Read every place that is not free; ``None`` for one that is damaged."""
    for slot in range(SLOTS):
        content = os.pread(handle, SLOT_BYTES, slot * SLOT_BYTES)
        if content and not content.startswith(b"\0"):
            yield slot, _parse_line(content)


def _parse_line(content: bytes) -> dict[str, Any] | None:
    """Read the entry of one place; ``None`` if its checksum is wrong."""
    checksum, _, rest = content.partition(b" ")
    line = rest.rstrip(b" ").removesuffix(b"\n")
    if checksum != b"%08x" % zlib.crc32(line):
        return None
    entry: dict[str, Any] = json.loads(line)
    entry["accessed_at"] = datetime.fromisoformat(entry["accessed_at"])
    return entry
