"""Receiving, storing and opening files by their hash. What comes from outside is checked first."""

import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from .models import StoredFile

ROOT = Path(__file__).resolve().parent.parent
WALL_SECONDS = 20

# The kinds of file that we read, by the bytes they begin with and the endings they may have.
_KINDS: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"%PDF-", "application/pdf", (".pdf",)),
    (b"\x89PNG\r\n\x1a\n", "image/png", (".png",)),
    (b"\xff\xd8\xff", "image/jpeg", (".jpg", ".jpeg")),
    (b"II*\x00", "image/tiff", (".tif", ".tiff")),
    (b"MM\x00*", "image/tiff", (".tif", ".tiff")),
)

_WHY = {
    "encrypted": "is protected by a password. Ask the sender for a copy without one, "
    "or print it to PDF and upload that.",
    "damaged": "is damaged and cannot be read. Scan it again, or ask the sender for a new copy.",
    "active": "contains a script, an action or an attached file. Print it to PDF and upload that.",
    "empty": "has no pages. Ask the sender for a new copy.",
    "too-long": "has more than 10,000 pages. Split it and upload the parts.",
    "too-large-picture": "is a picture too large to open. Scan it again at 300 dots an inch.",
    "too-heavy": "needs too much memory to open. Print it to PDF and upload that.",
}


class Refused(Exception):
    """A file is refused; the message names it and says what to do."""


def receive(*, upload: UploadedFile, at: datetime) -> StoredFile:
    """Take in a file from outside: size, kind, soundness and, where configured, viruses.

    :raises Refused: with the file's name and what to do. Nothing is stored then.
    """
    name = shown_name(upload.name or "The file")
    size = upload.size or 0
    if size == 0:
        raise Refused(f"“{name}” is empty. Choose the file again.")
    if size > settings.MAX_UPLOAD_BYTES:
        most = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
        raise Refused(f"“{name}” is larger than {most} MB. Split it and upload the parts.")
    with tempfile.TemporaryDirectory(prefix="received-") as folder:
        path = Path(folder) / "file"
        digest = hashlib.sha256()
        head = b""
        with path.open("wb") as out:
            for chunk in upload.chunks():
                head = head or chunk[:16]
                digest.update(chunk)
                out.write(chunk)
        media_type = _kind(name, head)
        known = StoredFile.objects.filter(sha256=digest.hexdigest()).first()
        if known is not None and known.state == StoredFile.State.CLEAN:
            return known
        said = json.loads(_child("inspect", path, media_type, name=name))
        state = StoredFile.State.CLEAN if _scan(path, name) else StoredFile.State.QUARANTINED
        return _store(path, digest.hexdigest(), media_type, pages=said["pages"], state=state, at=at)


def store_bytes(
    *, content: bytes, media_type: str, at: datetime, pages: int | None = None
) -> StoredFile:
    """Store bytes that we made ourselves, such as a letter; the same bytes are stored once."""
    digest = hashlib.sha256(content).hexdigest()
    known = StoredFile.objects.filter(sha256=digest).first()
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(prefix="made-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        return _store(path, digest, media_type, pages=pages, state=StoredFile.State.CLEAN, at=at)


def release_quarantined(*, file_id: int, at: datetime) -> StoredFile:
    """Scan a quarantined file again, now that the scanner may answer.

    :raises Refused: the scanner found something.
    """
    with transaction.atomic():
        file = StoredFile.objects.select_for_update().get(pk=file_id)
        if file.state != StoredFile.State.QUARANTINED:
            return file
        with _on_disk(file) as path:
            clean = _scan(path, file.sha256[:12])
        if clean:
            file.state = StoredFile.State.CLEAN
            file.save(update_fields=["state"])
        return file


def read_bytes(file: StoredFile) -> bytes:
    """The bytes of a file that may be opened.

    :raises Refused: it has not been checked yet, or was refused.
    """
    _refuse_unchecked(file)
    with default_storage.open(file.path, "rb") as stored:
        content = stored.read()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Refused("This file is not what was stored: its bytes have changed. Tell operations.")
    return bytes(content)


def page_png(file: StoredFile, page: int, width: int = 1000) -> bytes:
    """One page as a picture, drawn once and kept.

    :param width: pixels, from 100 to 2,400.
    :raises Refused: there is no such page, or the file may not be opened.
    """
    _refuse_unchecked(file)
    _refuse_unknown_page(file, page)
    width = min(max(width, 100), 2400)
    kept = f"pages/{file.path}-{page}-{width}.png"
    if default_storage.exists(kept):
        with default_storage.open(kept, "rb") as stored:
            return bytes(stored.read())
    with _on_disk(file) as path:
        picture = _child("png", path, file.media_type, str(page), str(width), name="This page")
    if not default_storage.exists(kept):
        default_storage.save(kept, ContentFile(picture))
    return picture


def page_text(file: StoredFile, page: int) -> str:
    """The text layer of one page; empty for a scan without one.

    :raises Refused: there is no such page, or the file may not be opened.
    """
    _refuse_unchecked(file)
    _refuse_unknown_page(file, page)
    with _on_disk(file) as path:
        said = json.loads(_child("text", path, file.media_type, str(page), name="This page"))
    return str(said["text"]).replace("\x00", "")


def shown_name(name: str) -> str:
    """A file's name as it may be shown: the last part, without control or direction characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(letter for letter in last if letter.isprintable())
    return plain.strip()[:120] or "file"


def differences() -> Iterator[str]:
    """What storage and rows disagree on, one sentence each: missing, changed and stray files."""
    known = set()
    for file in StoredFile.objects.order_by("pk").iterator():
        known.add(file.path)
        if not default_storage.exists(file.path):
            yield f"missing: {file.sha256}"
            continue
        digest = hashlib.sha256()
        with default_storage.open(file.path, "rb") as stored:
            for chunk in iter(lambda: stored.read(1 << 20), b""):
                digest.update(chunk)
        if digest.hexdigest() != file.sha256:
            yield f"changed: {file.sha256}"
    yield from (f"stray: {path}" for path in _stored_paths() if path not in known)


def _store(
    path: Path,
    sha256: str,
    media_type: str,
    *,
    pages: int | None,
    state: StoredFile.State,
    at: datetime,
) -> StoredFile:
    """Bytes first, safely on disk; then the row that names them."""
    name = StoredFile(sha256=sha256).path
    if not default_storage.exists(name):
        with path.open("rb") as source:
            _save_durably(name, source)
    file, _ = StoredFile.objects.get_or_create(
        sha256=sha256,
        defaults={
            "size": path.stat().st_size,
            "media_type": media_type,
            "pages": pages,
            "state": state,
            "stored_at": at,
        },
    )
    return file


def _save_durably(name: str, source: Any) -> None:
    """Write a new file so that neither a crash nor a power cut leaves half of it."""
    if not isinstance(default_storage, FileSystemStorage) and not hasattr(default_storage, "path"):
        default_storage.save(name, ContentFile(source.read()))
        return
    target = Path(default_storage.path(name))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as out:
        while chunk := source.read(1 << 20):
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    os.chmod(temporary, 0o600)
    os.replace(temporary, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _on_disk:  # noqa: N801 - reads as a context: with _on_disk(file) as path
    """The file as a path that a child process can open."""

    def __init__(self, file: StoredFile) -> None:
        self.file = file
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path:
        try:
            return Path(default_storage.path(self.file.path))
        except NotImplementedError:
            self.folder = tempfile.TemporaryDirectory(prefix="opened-")
            path = Path(self.folder.name) / "file"
            with default_storage.open(self.file.path, "rb") as stored:
                path.write_bytes(stored.read())
            return path

    def __exit__(self, *problem: object) -> None:
        if self.folder is not None:
            self.folder.cleanup()


def _child(act: str, path: Path, media_type: str, *rest: str, name: str) -> bytes:
    """Let the child do it.

    :raises Refused: it said no, or it died of its limits.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell, no name from outside
            [sys.executable, "-m", "files.child", act, str(path), media_type, *rest],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"“{name}” {_WHY['too-heavy']}") from error
    if done.returncode == 0:
        return done.stdout
    word = done.stderr.decode(errors="replace").strip()
    raise Refused(f"“{name}” {_WHY.get(word, _WHY['too-heavy'])}")


def _kind(name: str, head: bytes) -> str:
    for magic, media_type, endings in _KINDS:
        if head.startswith(magic):
            if name.lower().endswith(endings):
                return media_type
            raise Refused(
                f"“{name}” is a {endings[0].lstrip('.').upper()} file by its content, but not by "
                f"its name. Rename it to end in {endings[0]} if that is what it is."
            )
    raise Refused(
        f"“{name}” is not a PDF, TIFF, JPEG or PNG file. Print it to PDF and upload that."
    )


def _scan(path: Path, name: str) -> bool:
    """Whether the file is known to be clean; False while the scanner does not answer.

    :raises Refused: the scanner found something.
    """
    if not settings.CLAMD_SOCKET:
        return True
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as scanner:
            scanner.settimeout(30)
            scanner.connect(settings.CLAMD_SOCKET)
            scanner.sendall(b"zINSTREAM\0")
            with path.open("rb") as source:
                while chunk := source.read(1 << 16):
                    scanner.sendall(struct.pack("!L", len(chunk)) + chunk)
            scanner.sendall(struct.pack("!L", 0))
            answer = scanner.recv(4096).decode(errors="replace")
    except OSError:
        return False
    if "FOUND" in answer:
        raise Refused(f"“{name}” carries a virus. Do not open it; tell the sender.")
    return answer.rstrip("\0").strip().endswith("OK")


def _refuse_unchecked(file: StoredFile) -> None:
    if file.state == StoredFile.State.QUARANTINED:
        raise Refused("This file has not been checked for viruses yet. Try again in a few minutes.")
    if file.state == StoredFile.State.REFUSED:
        raise Refused(file.refusal)


def _refuse_unknown_page(file: StoredFile, page: int) -> None:
    if not 1 <= page <= (file.pages or 1):
        raise Refused(f"This file has no page {page}.")


def _stored_paths() -> Iterator[str]:
    for first in _folders(""):
        if len(first) == 2:
            for second in _folders(first):
                for name in default_storage.listdir(f"{first}/{second}")[1]:
                    yield f"{first}/{second}/{name}"


def _folders(path: str) -> list[str]:
    try:
        return default_storage.listdir(path)[0]
    except FileNotFoundError:
        return []
