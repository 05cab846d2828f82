"""Receives scans in batches, and assigns each scan to one clerk at a time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

import files.services
from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, TakenByAnother, refuse_if
from cases.models import ApplicationPaper, Case, Channel
from cases.models.restrictions import select_visible
from deadlines.days import PACIFIC
from files.models import StoredFile
from intake.models import Batch, CancelReason, Scan, ScanQuerySet
from intake.policies import (
    why_not_enter_application,
    why_not_mark_rescanned,
    why_not_skip_scan,
    why_not_use_rescanned,
)

MAX_SCANS_PER_BATCH = 100  # each file is checked before the request is answered
_RENEW_AFTER = timedelta(minutes=5)  # typing renews a lease at most this often
_CLAIM_FIELDS = ["claimed_by", "claimed_at"]


@dataclass(frozen=True)
class CheckedUpload:
    """An upload after the file check: its hash, and the stored file or the reason for refusal."""

    name: str
    sha256: str
    file: StoredFile | None
    refusal: str
    refusal_code: str = ""  # a value of ``RefusalCode``


def check_uploads(
    *, uploads: Sequence[UploadedFile], by: User | None, at: datetime
) -> list[CheckedUpload]:
    """Check the files of a batch and store their bytes. Slow, so call it outside transactions.

    :param by: the clerk; ``None`` for a watched folder.
    :raises NotAllowed: not a clerk, no file, or too many files.
    """
    if by is not None:
        refuse_if(why_not_enter_application(by))
    if not uploads:
        raise NotAllowed("Choose at least one file.")
    if len(uploads) > MAX_SCANS_PER_BATCH:
        raise NotAllowed(
            f"A batch can have at most {MAX_SCANS_PER_BATCH} files. Add the rest as another batch."
        )
    return [_check_upload(upload, at) for upload in uploads]


def open_batch(
    *,
    channel: Channel,
    received_on: date,
    uploads: Sequence[CheckedUpload],
    note: str = "",
    folder: str = "",
    by: User | None,
    at: datetime,
) -> Batch:
    """Receive checked files as one batch, one scan per file.

    A file that cannot be read becomes a refused scan with its reason; the other files are not
    affected. A file whose content is already on file is marked as repeated, so that it cannot
    become a second case.

    :param by: the clerk; ``None`` for a watched folder.
    :raises NotAllowed: not a clerk, or a received date in the future.
    """
    if by is not None:
        refuse_if(why_not_enter_application(by))
    if received_on > at.astimezone(PACIFIC).date():
        raise NotAllowed("The received date is in the future. Check the stamp.")
    for last_try in (False, True):
        try:
            return _store_batch(channel, received_on, uploads, note, folder, by=by, at=at)
        except IntegrityError:
            # Another batch stored the same content at the same moment. Compare again.
            if last_try:
                raise
    raise AssertionError("unreachable")


def claim_next_scan(*, by: User, at: datetime) -> Scan | None:
    """Claim the scan that this clerk enters next: the one they hold, else the oldest free one.

    Clerks who ask at the same time get different scans.

    :returns: ``None`` if every scan is entered, skipped or held by someone else.
    :raises NotAllowed: not a clerk.
    """
    refuse_if(why_not_enter_application(by))
    for last_try in (False, True):
        try:
            return _claim_next_scan(by=by, at=at)
        except IntegrityError:
            # The same clerk asked twice at once. The second try finds the scan they now hold.
            if last_try:
                raise
    raise AssertionError("unreachable")


@transaction.atomic
def _claim_next_scan(*, by: User, at: datetime) -> Scan | None:
    scan = _scans_claimed_by(by).select_for_update(of=("self",)).first()
    if scan is None:
        free = Scan.objects.free(at=at)
        # Skip rows that other clerks are claiming right now; SQLite locks the whole table anyway.
        skips = connection.features.has_select_for_update_skip_locked
        scan = free.select_for_update(skip_locked=skips, of=("self",)).first()
    if scan is not None:
        _store_claim(scan, by=by, at=at)
    return scan


@transaction.atomic
def claim_scan(*, scan_id: int, by: User, at: datetime) -> Scan:
    """Claim this scan and release any other that the clerk holds; a skipped scan waits again.

    :raises NotAllowed: not a clerk, or the scan is entered, repeated or refused.
    :raises TakenByAnother: someone else holds it.
    """
    refuse_if(why_not_enter_application(by))
    # Lock both scans in the order of their ids, so that two windows cannot deadlock.
    locked_scans = Scan.objects.filter(Q(pk=scan_id) | Q(state=Scan.State.WAITING, claimed_by=by))
    locked = list(locked_scans.select_for_update(of=("self",)).order_by("pk"))
    scan = _lock_scan(scan_id)
    _refuse_finished_scan(scan)
    if scan.is_held(at=at) and scan.claimed_by_id != by.pk:
        raise TakenByAnother(f"{why_not_skip_scan(by, scan, at=at)} Enter the next scan.")
    for other in locked:
        if other.pk != scan.pk:
            _clear_claim(other, by=by, at=at, why="Claimed another scan")
    if scan.state == Scan.State.SKIPPED:
        _store_return(scan, by=by, at=at)
    _store_claim(scan, by=by, at=at)
    return scan


@transaction.atomic
def release_scan(*, scan_id: int, by: User, at: datetime) -> Scan:
    """Give a scan back without entering it; the next clerk gets it.

    :raises NotAllowed: this clerk does not hold it.
    """
    scan = _lock_scan(scan_id)
    # The claim counts, not the role: someone who lost the role can still release a scan.
    if scan.state != Scan.State.WAITING or scan.claimed_by_id != by.pk:
        raise NotAllowed(f"{scan} is not assigned to you.")
    return _clear_claim(scan, by=by, at=at, why="Released")


@transaction.atomic
def skip_scan(*, scan_id: int, reason: CancelReason, note: str, by: User, at: datetime) -> Scan:
    """Skip a scan for a coded reason. It stays in its batch and on the supervisor's list.

    :raises NotAllowed: not a clerk, someone else holds it, it is not waiting, or the note that
        the reason requires is missing.
    """
    scan = _lock_scan(scan_id)
    refuse_if(why_not_skip_scan(by, scan, at=at))
    if reason in {CancelReason.OTHER, CancelReason.QUESTION} and not note:
        raise NotAllowed("Describe the problem with the scan in a few words.")
    return _store_skip(scan, reason=reason, note=note, by=by, at=at)


@transaction.atomic
def return_scan_to_queue(*, scan_id: int, by: User, at: datetime) -> Scan:
    """Return a skipped scan to the queue.

    :raises NotAllowed: not a clerk, or it is not skipped.
    """
    refuse_if(why_not_enter_application(by))
    scan = _lock_scan(scan_id)
    if scan.state != Scan.State.SKIPPED:
        raise NotAllowed(f"{scan} is not skipped.")
    _refuse_finished_scan(scan)
    return _store_return(scan, by=by, at=at)


def find_replacements(*, scan: Scan, by: User) -> ScanQuerySet:
    """Find the scans that may have come instead of one, the latest first.

    Whatever was received later and can be read, and belongs to no case that is hidden from the
    person.
    """
    rows: ScanQuerySet = select_visible(Scan.objects.filter(pk__gt=scan.pk), by)
    return rows.exclude(state=Scan.State.REFUSED).select_related("batch").order_by("-pk")


@transaction.atomic
def mark_scan_rescanned(*, scan_id: int, new_scan_id: int, by: User, at: datetime) -> Scan:
    """Record which scan came instead of one that was refused, unreadable or incomplete.

    :raises NotAllowed: not a clerk, the scan is usable, or it was scanned again before.
    :raises BadFact: the other scan was received earlier or cannot be read either.
    """
    scan = _lock_scan(scan_id)
    refuse_if(why_not_mark_rescanned(by, scan))
    new_scan = find_replacements(scan=scan, by=by).filter(pk=new_scan_id).first()
    if new_scan is None:
        raise BadFact("new_scan", "Choose the new file. It was received after this one.")
    scan.rescanned_as = new_scan
    return scan.store(by=by, at=at, why=f"Scanned again as {new_scan}", fields=["rescanned_as"])


def renew_scan_claim(*, scan_id: int, by: User, at: datetime) -> None:
    """Renew the clerk's claim while they type; an expired claim is renewed if nobody took it.

    Call it inside a transaction. It never raises: two clerks may type the same scan, and the first
    to save has entered it.
    """
    scan = _lock_scan(scan_id)
    if scan.state != Scan.State.WAITING:
        return
    # A clerk holds at most one scan (a unique constraint), so do not claim a second one here.
    is_free = scan.claimed_by_id == by.pk or not scan.is_held(at=at)
    if is_free and not _scans_claimed_by(by).exclude(pk=scan.pk).exists():
        _store_claim(scan, by=by, at=at)


def mark_scan_entered(*, scan_id: int, case: Case, by: User, at: datetime) -> None:
    """Record on a scan which case it became; runs in the transaction that receives the case."""
    scan = _lock_scan(scan_id)
    scan.state, scan.case, scan.resolved_at = Scan.State.ENTERED, case, at
    # A skipped scan can be entered directly; its reason no longer applies.
    scan.why_skipped = ""
    # Keeps the name of the clerk who entered it. The limit of one scan covers waiting ones only.
    scan.claimed_by, scan.claimed_at = by, at
    scan.store(
        by=by,
        at=at,
        why=f"Entered as {case.number}",
        fields=["state", "case", "resolved_at", "why_skipped", *_CLAIM_FIELDS],
    )


def release_or_skip_scan(
    *, scan_id: int, reason: CancelReason, note: str, by: User | None, at: datetime
) -> None:
    """Skip the scan of a canceled intake, or return it to the queue, as the reason requires."""
    scan = _lock_scan(scan_id)
    # The scan may have been entered from another form, or claimed by another clerk after the lease
    # ended. Then there is nothing to release.
    if scan.state != Scan.State.WAITING or (by and scan.claimed_by_id not in {None, by.pk}):
        return
    # Here nothing is wrong with the scan itself, so the next clerk gets it.
    if reason in {CancelReason.START_OVER, CancelReason.LEFT}:
        _clear_claim(scan, by=by, at=at, why=reason.label)
    else:
        _store_skip(scan, reason=reason, note=note, by=by, at=at)


def _check_upload(upload: UploadedFile, at: datetime) -> CheckedUpload:
    name = files.services.clean_file_name(upload.name or "")
    # Hashed here, because a refused file is not stored but has to be recognized if it comes again.
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    try:
        file = files.services.receive_upload(upload=upload, at=at)
    except files.services.FileRefused as refusal:
        return CheckedUpload(name, digest.hexdigest(), None, str(refusal), refusal.code)
    return CheckedUpload(name, digest.hexdigest(), file, "")


@transaction.atomic
def _store_batch(
    channel: Channel,
    received_on: date,
    uploads: Sequence[CheckedUpload],
    note: str,
    folder: str,
    *,
    by: User | None,
    at: datetime,
) -> Batch:
    batch = Batch(
        channel=channel,
        received_on=received_on,
        note=note,
        folder=folder,
        opened_at=at,
        opened_by=by,
    ).store(by=by, at=at)
    for position, upload in enumerate(uploads, start=1):
        scan = Scan(
            batch=batch,
            position=position,
            received_on=received_on,
            name_received=upload.name,
            sha256=upload.sha256,
            file=upload.file,
            refusal=upload.refusal[:300],
            refusal_code=upload.refusal_code,
        )
        if upload.file is None:
            scan.state, scan.resolved_at = Scan.State.REFUSED, at
        else:
            _mark_if_repeated(scan, upload.file, at)
        scan.store(by=by, at=at)
    return batch


def _mark_if_repeated(scan: Scan, file: StoredFile, at: datetime) -> None:
    """Mark the scan as repeated if the same content is already a scan or a case's application."""
    # Leave out repeated scans, so that each one refers to the first and not to another repetition.
    earlier_scan = Scan.objects.filter(file=file).exclude(state=Scan.State.REPEATED).first()
    # The same file may also have been attached to a form without a batch.
    earlier_paper = (
        ApplicationPaper.objects.filter(file=file, kind=ApplicationPaper.Kind.APPLICATION)
        .select_related("application")
        .first()
    )
    if earlier_scan is None and earlier_paper is None:
        return
    scan.state, scan.resolved_at, scan.same_as = Scan.State.REPEATED, at, earlier_scan
    if earlier_paper is not None:
        # Name the case, so that the clerk can open it.
        scan.case = earlier_paper.application.first_case
    elif earlier_scan is not None:
        scan.case = earlier_scan.case


def _lock_scan(scan_id: int) -> Scan:
    scan: Scan = Scan.objects.select_for_update(of=("self",)).get(pk=scan_id)
    return scan


def _scans_claimed_by(by: User) -> ScanQuerySet:
    return Scan.objects.filter(state=Scan.State.WAITING, claimed_by=by)


def _refuse_finished_scan(scan: Scan) -> None:
    refuse_if(why_not_use_rescanned(scan))
    if scan.state not in {Scan.State.WAITING, Scan.State.SKIPPED}:
        case_words = f", as {scan.case}" if scan.case else ""
        raise NotAllowed(f"{scan}: {scan.get_state_display().lower()}{case_words}.")


def _store_claim(scan: Scan, *, by: User, at: datetime) -> None:
    is_own_claim = scan.claimed_by_id == by.pk
    if is_own_claim and scan.claimed_at is not None and scan.claimed_at > at - _RENEW_AFTER:
        return  # every save stores a version, and typing saves every few seconds
    scan.claimed_by, scan.claimed_at = by, at
    scan.store(by=by, at=at, why="Claimed", fields=_CLAIM_FIELDS)


def _clear_claim(scan: Scan, *, by: User | None, at: datetime, why: str) -> Scan:
    scan.claimed_by = scan.claimed_at = None
    return scan.store(by=by, at=at, why=why, fields=_CLAIM_FIELDS)


def _store_skip(
    scan: Scan, *, reason: CancelReason, note: str, by: User | None, at: datetime
) -> Scan:
    scan.state, scan.resolved_at = Scan.State.SKIPPED, at
    scan.why_skipped, scan.note = reason, note
    scan.claimed_by = scan.claimed_at = None
    fields = ["state", "resolved_at", "why_skipped", "note", *_CLAIM_FIELDS]
    return scan.store(by=by, at=at, why=reason.label, fields=fields)


def _store_return(scan: Scan, *, by: User, at: datetime) -> Scan:
    scan.state, scan.resolved_at, scan.why_skipped = Scan.State.WAITING, None, ""
    fields = ["state", "resolved_at", "why_skipped"]
    return scan.store(by=by, at=at, why="Returned to the queue", fields=fields)
