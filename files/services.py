"""Receive, store and open files by their hash. Every upload is checked before it is stored."""

import hashlib
import os
import socket
import struct
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.refusals import Refused

from . import parsing
from .models import StoredFile
from .refusal_codes import OF_PARSER, RefusalCode

logger = structlog.get_logger(__name__)

MAX_PAGES = 5_000
INCOMING = "incoming"  # the folder of uploads that are not stored yet; see FILE_UPLOAD_TEMP_DIR
LONGEST_UPLOAD = timedelta(hours=1)
WIDTHS = (100, 2400)  # smallest and largest width of a rendered page, in pixels
# For each step of the connection, not for the whole scan of a large file.
SCANNER_SECONDS = 60

# The accepted file types: first bytes, media type, name, and allowed file extensions.
_FILE_TYPES: tuple[tuple[bytes, str, str, tuple[str, ...]], ...] = (
    (b"%PDF-", "application/pdf", "PDF", (".pdf",)),
    (b"\x89PNG\r\n\x1a\n", "image/png", "PNG", (".png",)),
    (b"\xff\xd8\xff", "image/jpeg", "JPEG", (".jpg", ".jpeg")),
    (b"II*\x00", "image/tiff", "TIFF", (".tif", ".tiff")),
    (b"MM\x00*", "image/tiff", "TIFF", (".tif", ".tiff")),
)

# The sentence for each refusal of the parser. The file name comes before it.
REFUSAL_REASONS = {
    "password": "is protected by a password. Ask the sender for a copy without one, "
    "or print it to PDF.",
    "damaged": "is damaged or incomplete. Ask the sender for it again, or print it to PDF.",
    "attachments": "has other files attached to it. Save them and upload each one separately.",
    "needs_adobe_reader": "is a form that only Adobe Reader can show. Open it there and "
    "print it to PDF.",
    "too_many_pages": f"has more than {MAX_PAGES:,} pages. Split it and upload the parts.",
    "page_too_large": "has a page too large to show. Scan it again at 300 dots per inch.",
    "limits": "takes too much time or memory to read. Print it to PDF and upload that.",
    "no_such_page": "has no such page.",
    "page_damaged": "has a page that cannot be shown. Ask the sender for that page again.",
}
UNSCANNED = (
    "The virus scanner is not available, so this file cannot be opened yet. "
    "The file is kept and can be opened when it has been scanned."
)


class FileRefused(Refused):
    """A file is refused. The message names the file and says what to do; ``code`` says why."""

    field = "upload"

    def __init__(self, message: str, code: RefusalCode = RefusalCode.OTHER) -> None:
        self.code = code
        super().__init__(message)


class PageUnreadable(FileRefused):
    """One page of a stored file cannot be shown. The other pages are not affected."""

    def __init__(self, page: int) -> None:
        super().__init__(f"Page {page} cannot be shown. Ask the sender for this page again.")


class FileDamaged(FileRefused):
    """A stored file is missing or has changed since it was stored."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This file is missing or has changed since it was stored, so it cannot be shown. Tell "
            "operations; they restore it from the backup."
        )


def receive_upload(*, upload: UploadedFile, at: datetime) -> StoredFile:
    """Check an upload and store it: size, type, integrity and, if configured, viruses.

    The same bytes always give the same row. A file that could not be scanned is stored as
    quarantined. Call this before locking any row, because it can take several seconds.

    :raises FileRefused: the file fails a check. Nothing is stored.
    """
    name = clean_file_name(upload.name or "")
    # Asked first, because nothing has to be read; the bytes are counted again while writing.
    if (upload.size or 0) > settings.MAX_UPLOAD_BYTES:
        raise _build_size_refusal(name)
    with _write_incoming(upload.chunks(), most=settings.MAX_UPLOAD_BYTES, name=name) as incoming:
        media_type = _detect_media_type(name, incoming.head)
        stored = StoredFile.objects.filter(sha256=incoming.sha256).first()
        # Only a clean file is reused: others are scanned again, with the signatures of today.
        if stored is not None and stored.state == StoredFile.State.CLEAN:
            if not is_intact(stored):
                _replace_damaged_bytes(stored, incoming)
            return stored
        # Before the virus scan: the parser is sandboxed, and a file that it refuses needs no scan.
        answer, _ = _inspect_upload(
            "inspect", incoming.path, media_type, name=name, max_pages=MAX_PAGES
        )
        state, refusal = _scan_for_viruses(incoming.path, name)
        unreadable_pages = parsing.find_unreadable_pages(
            path=str(incoming.path), media_type=media_type, pages=answer["pages"]
        )
        return _store_file(
            incoming,
            media_type,
            pages=answer["pages"],
            unreadable_pages=unreadable_pages,
            is_repaired=answer["repaired"],
            state=state,
            refusal=refusal,
            at=at,
        )


@dataclass(frozen=True)
class NamedFile:
    """An uploaded file that was checked and stored, with the name under which it was received."""

    stored: StoredFile
    name: str


def receive_named_upload(*, upload: UploadedFile, at: datetime) -> NamedFile:
    """Check and store an upload, as ``receive_upload``, and keep its name.

    :raises FileRefused: the file fails a check. Nothing is stored.
    """
    return NamedFile(
        stored=receive_upload(upload=upload, at=at), name=clean_file_name(upload.name or "")
    )


def store_bytes(
    *, content: bytes, media_type: str, at: datetime, pages: int | None = None
) -> StoredFile:
    """Store bytes that the portal produced, such as a letter. The same bytes are stored once."""
    # Not scanned and not parsed, because the bytes are our own.
    with _write_incoming([content], most=len(content), name="our own file") as incoming:
        state = StoredFile.State.CLEAN
        return _store_file(incoming, media_type, pages=pages, state=state, refusal="", at=at)


@dataclass(frozen=True)
class WrittenFile:
    """Bytes that the portal produced and has put into storage, which have no row yet."""

    sha256: str
    size: int
    media_type: str
    pages: int | None

    @classmethod
    def put_into_storage(
        cls, *, content: bytes, media_type: str, pages: int | None = None
    ) -> "WrittenFile":
        """Put bytes into storage, synced to the disk, without a row.

        ``record_written_files`` makes the rows of several in one transaction. A crash in between
        leaves bytes without a row, as it does after ``store_bytes``.
        """
        with _write_incoming([content], most=len(content), name="our own file") as incoming:
            _move_into_storage(StoredFile(sha256=incoming.sha256).path, incoming)
            return cls(incoming.sha256, incoming.size, media_type, pages)


def record_written_files(*, written: Sequence[WrittenFile], at: datetime) -> dict[str, StoredFile]:
    """Make the rows of files that are in storage, in the caller's transaction.

    :return: the row of each file by its hash. A row that was refused earlier stays refused.
    """
    rows = [
        StoredFile(
            sha256=one.sha256,
            size=one.size,
            media_type=one.media_type,
            pages=one.pages,
            state=StoredFile.State.CLEAN,
            stored_at=at,
        )
        for one in written
    ]
    # The same bytes may have a row already, from a worker that was killed or a preview.
    StoredFile.objects.bulk_create(rows, ignore_conflicts=True)
    found = StoredFile.objects.filter(sha256__in=[row.sha256 for row in rows])
    return {
        row.sha256: _mark_file_clean(row.pk) if row.state == StoredFile.State.QUARANTINED else row
        for row in found
    }


def release_quarantined(*, file_id: int, at: datetime) -> StoredFile:
    """Scan a quarantined file again and store the result.

    A file in which the scanner finds a virus is kept, is marked as refused and cannot be opened.
    """
    with transaction.atomic():
        # Locked during the scan, so that two runs of the command do not scan the same file.
        file = StoredFile.objects.select_for_update().get(pk=file_id)
        if file.state != StoredFile.State.QUARANTINED:
            return file
        with _open_on_disk(file) as path:
            try:
                file.state, file.refusal = _scan_for_viruses(path, "This file")
            except FileRefused as refusal:
                file.state, file.refusal = StoredFile.State.REFUSED, str(refusal)
        file.save(update_fields=["state", "refusal"])
        return file


def read_bytes(file: StoredFile) -> bytes:
    """Read the stored bytes, after comparing them with their hash.

    :raises FileRefused: the file is not checked yet or was refused.
    :raises FileDamaged: its bytes have changed, or they are missing.
    """
    _refuse_unchecked(file)
    try:
        with default_storage.open(file.path, "rb") as stored:
            content = bytes(stored.read())
    except OSError as error:
        raise FileDamaged from error
    # A changed letter or record must never be shown as what was received or sent.
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FileDamaged
    return content


def is_intact(file: StoredFile) -> bool:
    """Whether the stored bytes are there and have the hash of the row."""
    return _is_stored_as(file.path, file.sha256)


def render_page_png(file: StoredFile, page: int, width: int = 1000) -> bytes:
    """Render one page as a PNG. The image is cached in storage.

    :param page: counted from 1.
    :param width: in pixels; values outside ``WIDTHS`` are moved to the nearest limit.
    :raises FileRefused: there is no such page, or the file may not be opened.
    """
    _refuse_unchecked(file)
    _refuse_unknown_page(file, page)
    # The width comes from outside and is part of a file name in the cache.
    width = min(max(width, WIDTHS[0]), WIDTHS[1])
    # Beside the originals and not among them, so that the comparison with the rows ignores it.
    cached = f"derived/{file.path}/{page}-{width}.png"
    if default_storage.exists(cached):
        with default_storage.open(cached, "rb") as stored:
            return bytes(stored.read())
    try:
        image = _read_stored("page", file, page=page, width=width)
    except PageUnreadable:
        _remember_unreadable_page(file, page)
        raise
    _cache_derived(cached, image)
    return image


def extract_page_text(file: StoredFile, page: int) -> str:
    """Extract the text layer of one page. Empty for a scan without text.

    :raises FileRefused: there is no such page, or the file may not be opened.
    """
    _refuse_unchecked(file)
    _refuse_unknown_page(file, page)
    text = _read_stored("text", file, page=page).decode("utf-8", "replace")
    # Some PDF files have NUL characters in their text, which HTML does not allow.
    return text.replace("\x00", "").replace("\r\n", "\n")


def clean_file_name(name: str) -> str:
    """Return a file name that is safe to show: no folders, control or direction characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(letter for letter in last if letter.isprintable()).strip()
    # The ending is kept, because the type of file is recognized by it.
    if len(plain) > 80:
        stem, _, ending = plain.rpartition(".")
        plain = f"{stem[:70]}….{ending[:8]}" if stem else f"{plain[:80]}…"
    return plain or "The file"


@dataclass
class Differences:
    """Differences between the rows and the storage. Each list holds hashes or paths."""

    rows_without_file: list[str] = field(default_factory=list)
    files_without_row: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)  # of uploads that were killed

    def __bool__(self) -> bool:
        return bool(
            self.rows_without_file or self.files_without_row or self.changed or self.leftovers
        )


def compare_with_storage(*, at: datetime) -> Differences:
    """Compare every row with its stored bytes, and every stored file with the rows."""
    differences, stored_names = Differences(), set()
    for file in StoredFile.objects.order_by("pk").iterator():
        stored_names.add(file.path)
        try:
            digest = _compute_digest(file.path)
        except FileNotFoundError:
            differences.rows_without_file.append(file.sha256)
            continue
        if digest != file.sha256:
            differences.changed.append(file.sha256)
    # Ask again for each file without a row: it may have been stored while this loop ran.
    strays = [path for path in _list_stored_paths() if path not in stored_names]
    differences.files_without_row = [
        path
        for path in strays
        if not StoredFile.objects.filter(sha256=path.rsplit("/", 1)[-1]).exists()
    ]
    differences.leftovers = [path.name for path in find_leftovers(at=at)]
    return differences


def find_leftovers(*, at: datetime) -> list[Path]:
    """Files of uploads that began more than an hour ago and whose process was killed."""
    folder = _folder_on_disk(INCOMING)
    if folder is None:
        return []
    oldest = (at - LONGEST_UPLOAD).timestamp()
    leftovers = []
    for path in Path(folder).iterdir():
        # Another process may remove its own file at any time.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                leftovers.append(path)
    return sorted(leftovers)


def delete_leftovers(*, at: datetime) -> int:
    """Delete the files of killed uploads; they may be medical records. Returns their number."""
    leftovers = find_leftovers(at=at)
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


@dataclass(frozen=True)
class _IncomingFile:
    """Received bytes in a temporary file, which have no row yet."""

    path: Path
    sha256: str
    size: int
    head: bytes


@contextmanager
def _write_incoming(chunks: Iterable[bytes], *, most: int, name: str) -> Iterator[_IncomingFile]:
    """Write received bytes to a temporary file, which is removed at the end of the context.

    The file is on the same disk as the storage, so that ``_move_into_storage`` can move it in one
    step.
    """
    folder = _folder_on_disk(INCOMING)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix="incoming-")
    path = Path(temporary)
    try:
        digest, size, head = hashlib.sha256(), 0, b""
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                # Counted here, because the size that the browser states need not be true.
                if size > most:
                    raise _build_size_refusal(name)
                # Enough for the longest signature in ``_FILE_TYPES``.
                if len(head) < 16:
                    head = (head + chunk)[:16]
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if size == 0:
            raise FileRefused(
                f"“{name}” is empty. Choose the file again, or ask the sender for it.",
                RefusalCode.EMPTY,
            )
        yield _IncomingFile(path, digest.hexdigest(), size, head)
    finally:
        path.unlink(missing_ok=True)


def _store_file(
    incoming: _IncomingFile,
    media_type: str,
    *,
    pages: int | None,
    state: StoredFile.State,
    refusal: str,
    at: datetime,
    unreadable_pages: Sequence[int] = (),
    is_repaired: bool = False,
) -> StoredFile:
    """Store the bytes, then the row.

    In this order a crash can leave bytes without a row, but never a row without its bytes.
    """
    values: dict[str, Any] = {
        "size": incoming.size,
        "media_type": media_type,
        "pages": pages,
        "unreadable_pages": list(unreadable_pages),
        "is_repaired": is_repaired,
        "state": state,
        "refusal": refusal,
        "stored_at": at,
    }
    _move_into_storage(StoredFile(sha256=incoming.sha256).path, incoming)
    file, is_new = StoredFile.objects.get_or_create(sha256=incoming.sha256, defaults=values)
    # The row was created between the look-up and now, or was waiting for the scanner.
    if not is_new and state == StoredFile.State.CLEAN:
        file = _mark_file_clean(file.pk)
    if file.state == StoredFile.State.REFUSED:
        # A stored file is refused only for a virus that a later scan has found.
        raise FileRefused(file.refusal, RefusalCode.VIRUS)
    return file


@transaction.atomic
def _mark_file_clean(file_id: int) -> StoredFile:
    """Mark a quarantined file as clean, because the same bytes have now passed the scanner.

    A file that was refused in between stays refused.
    """
    file = StoredFile.objects.select_for_update().get(pk=file_id)
    if file.state == StoredFile.State.QUARANTINED:
        file.state, file.refusal = StoredFile.State.CLEAN, ""
        file.save(update_fields=["state", "refusal"])
    return file


def _replace_damaged_bytes(file: StoredFile, incoming: _IncomingFile) -> None:
    """Put the received bytes in the place of stored ones that are missing or have changed."""
    # Pages that could not be shown because of the damage are asked for again.
    unreadable_pages = parsing.find_unreadable_pages(
        path=str(incoming.path), media_type=file.media_type, pages=file.pages or 0
    )
    _move_into_storage(file.path, incoming)
    with transaction.atomic():
        locked = StoredFile.objects.select_for_update().get(pk=file.pk)
        locked.unreadable_pages = unreadable_pages
        locked.save(update_fields=["unreadable_pages"])
    file.unreadable_pages = locked.unreadable_pages
    logger.warning("stored_file_replaced", bytes=incoming.size)


def _move_into_storage(name: str, incoming: _IncomingFile) -> None:
    """Move received bytes to their place in storage. A crash cannot leave half a file there.

    Stored bytes that have another hash are replaced.
    """
    is_there = _is_stored_as(name, incoming.sha256)
    try:
        target = Path(default_storage.path(name))
    except NotImplementedError:  # an object store, which answers only when the bytes are stored
        if not is_there:
            # Otherwise the storage would choose another name for the new bytes.
            default_storage.delete(name)
            with incoming.path.open("rb") as source:
                default_storage.save(name, File(source))
        return
    if is_there:
        # Whoever stored it may have been killed before the folders were synced.
        for folder in target.parents[:3]:
            _sync_folder(folder)
        return
    # Sync every new folder too: otherwise its entry for the file can be lost in a power cut.
    new_folders = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(incoming.path, target)
    for folder in [target.parent, *(each.parent for each in new_folders)]:
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cache_derived(name: str, content: bytes) -> None:
    """Cache a file that can be made again. Two processes may write the same file at once."""
    try:
        target = Path(default_storage.path(name))
    except NotImplementedError:
        default_storage.save(name, ContentFile(content))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    # In one step, so that another process never reads half a page.
    os.replace(temporary, target)


def _folder_on_disk(name: str) -> str | None:
    """Return a folder on the disk of the storage; ``None`` if the storage is not on disk."""
    try:
        folder = Path(default_storage.path(name))
    except NotImplementedError:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


@contextmanager
def _open_on_disk(file: StoredFile) -> Iterator[Path]:
    """Provide the stored bytes at a path that the parser can open."""
    try:
        yield Path(default_storage.path(file.path))
        return
    except NotImplementedError:
        pass
    with tempfile.NamedTemporaryFile(prefix="opened-") as copy:
        with default_storage.open(file.path, "rb") as stored:
            for chunk in stored.chunks():
                copy.write(chunk)
        copy.flush()
        yield Path(copy.name)


def _inspect_upload(
    operation: str, path: Path, media_type: str, *, name: str, **question: Any
) -> tuple[dict[str, Any], bytes]:
    try:
        return parsing.ask_parser(operation, path=str(path), media_type=media_type, **question)
    except parsing.CannotRead as reason:
        raise FileRefused(
            f"“{name}” {REFUSAL_REASONS.get(reason.code, REFUSAL_REASONS['damaged'])}",
            OF_PARSER.get(reason.code, RefusalCode.DAMAGED),
        ) from reason


def _read_stored(operation: str, file: StoredFile, **question: Any) -> bytes:
    """Return the bytes that the parser produces for a stored file.

    :raises FileDamaged: the stored bytes are missing.
    """
    if not default_storage.exists(file.path):
        raise FileDamaged
    with _open_on_disk(file) as path:
        try:
            _, body = parsing.ask_parser(
                operation, path=str(path), media_type=file.media_type, **question
            )
        except parsing.CannotRead as reason:
            if reason.can_retry:
                raise FileRefused(
                    "The server is busy. Open this page again in a minute."
                ) from reason
            raise PageUnreadable(question["page"]) from reason
    return body


def _remember_unreadable_page(file: StoredFile, page: int) -> None:
    """Store that a page cannot be shown, so that nobody waits for it again."""
    with transaction.atomic():
        locked = StoredFile.objects.select_for_update().get(pk=file.pk)
        locked.unreadable_pages = sorted({*locked.unreadable_pages, page})
        locked.save(update_fields=["unreadable_pages"])
    file.unreadable_pages = locked.unreadable_pages


def _detect_media_type(name: str, head: bytes) -> str:
    for magic, media_type, word, endings in _FILE_TYPES:
        # By content: the name and the media type come from the sender and prove nothing.
        if head.startswith(magic):
            if name.lower().endswith(endings):
                return media_type
            raise FileRefused(
                f"The content of “{name}” is {word}, but its name does not end in {endings[0]}. "
                "Rename it if the content is right; otherwise ask the sender for the right file.",
                RefusalCode.NAME,
            )
    raise FileRefused(
        f"“{name}” is not a PDF, TIFF, JPEG or PNG file. Print it to PDF and upload that.",
        RefusalCode.TYPE,
    )


def _build_size_refusal(name: str) -> FileRefused:
    most = settings.MAX_UPLOAD_BYTES // (1024 * 1024)
    return FileRefused(
        f"“{name}” is larger than {most:,} MB. Split it and upload the parts.",
        RefusalCode.TOO_LARGE,
    )


def _scan_for_viruses(path: Path, name: str) -> tuple[StoredFile.State, str]:
    """Scan a file for viruses. Returns its state, and the reason if it stays quarantined.

    :raises FileRefused: the scanner found a virus.
    """
    # An installation without a scanner accepts files on the checks of the parser alone.
    if not settings.CLAMD_SOCKET:
        return StoredFile.State.CLEAN, ""
    try:
        answer = _ask_scanner(path)
    except OSError:
        # Kept but closed: an outage of the scanner must not lose what was received in time.
        return StoredFile.State.QUARANTINED, UNSCANNED
    if answer.endswith("FOUND"):
        raise FileRefused(
            f"“{name}” contains a virus. Do not open it. Tell the sender and operations.",
            RefusalCode.VIRUS,
        )
    # Any other answer, such as an error, counts as not scanned.
    if answer.endswith(" OK"):
        return StoredFile.State.CLEAN, ""
    return StoredFile.State.QUARANTINED, (
        "The virus scanner could not scan this file, so it cannot be opened. Tell operations."
    )


def _ask_scanner(path: Path) -> str:
    """Send a file to clamd with the INSTREAM command and return the answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as scanner:
        scanner.settimeout(SCANNER_SECONDS)
        scanner.connect(settings.CLAMD_SOCKET)
        scanner.sendall(b"zINSTREAM\0")
        with path.open("rb") as source:
            while chunk := source.read(1 << 16):
                scanner.sendall(struct.pack("!L", len(chunk)) + chunk)
        # An empty chunk ends the stream.
        scanner.sendall(struct.pack("!L", 0))
        answer = b""
        while not answer.endswith(b"\0") and (more := scanner.recv(4096)):
            answer += more
    return answer.rstrip(b"\0").decode(errors="replace").strip()


def _refuse_unchecked(file: StoredFile) -> None:
    if file.state == StoredFile.State.QUARANTINED:
        raise FileRefused(file.refusal or UNSCANNED)
    if file.state == StoredFile.State.REFUSED:
        raise FileRefused(file.refusal)


def _refuse_unknown_page(file: StoredFile, page: int) -> None:
    if page < 1 or (file.pages is not None and page > file.pages):
        raise FileRefused(f"This file has no page {page}.")
    # Known since the file was received or first opened, so nobody waits for the parser again.
    if page in file.unreadable_pages:
        raise PageUnreadable(page)


def _is_stored_as(name: str, sha256: str) -> bool:
    try:
        return _compute_digest(name) == sha256
    except OSError:
        return False


def _compute_digest(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name, "rb") as stored:
        for chunk in stored.chunks():
            digest.update(chunk)
    return digest.hexdigest()


def _list_stored_paths() -> Iterator[str]:
    """List the paths of stored files: two folders of two characters, then the hash."""
    for first in _list_folders(""):
        if len(first) == 2:
            for second in _list_folders(first):
                for name in default_storage.listdir(f"{first}/{second}")[1]:
                    yield f"{first}/{second}/{name}"


def _list_folders(path: str) -> list[str]:
    try:
        return sorted(default_storage.listdir(path)[0])
    except FileNotFoundError:
        return []
