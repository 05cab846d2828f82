"""Scans in batches: taken in as they came, keyed by one clerk at a time, or skipped."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

import files.services
from accounts.models import User
from accounts.refusals import NotAllowed, TakenByAnother, refuse
from cases.models import ApplicationPaper, Case, Channel
from deadlines.days import PACIFIC
from files.models import StoredFile
from intake.models import Batch, Scan, ScanQuerySet, WhyNot
from intake.policies import why_not_enter, why_not_skip

MOST_SHEETS = 100  # in one batch
_RENEW_AFTER = timedelta(minutes=5)  # a lease is written again at most this often
_CLAIM = ["claimed_by", "claimed_at"]


@dataclass(frozen=True)
class _CheckedUpload:
    """An upload as the file room answered: its bytes' hash, and the file or why it is refused."""

    name: str
    sha256: str
    file: StoredFile | None
    refusal: str


def open_batch(
    *,
    channel: Channel,
    received_on: date,
    uploads: Sequence[UploadedFile],
    note: str = "",
    folder: str = "",
    by: User | None,
    at: datetime,
) -> Batch:
    """Take scans in as one batch, one scan a file.

    A file that cannot be read becomes a refused scan with its reason, and spoils nothing. Bytes
    that are at hand or entered already are noted as such: they never become a second case.

    :param by: the clerk; ``None`` for a watched folder.
    :raises NotAllowed: not a clerk, no file, too many files, or a day that has not come.
    """
    if by is not None:
        refuse(why_not_enter(by))
    if not uploads:
        raise NotAllowed("Choose at least one file.")
    if len(uploads) > MOST_SHEETS:
        raise NotAllowed(f"At most {MOST_SHEETS} files make one batch. Open another for the rest.")
    if received_on > at.astimezone(PACIFIC).date():
        raise NotAllowed("The received date lies in the future. Check the stamp.")
    checked = [_look_at(upload, at) for upload in uploads]
    for last_try in (False, True):
        try:
            return _store(channel, received_on, checked, note, folder, by=by, at=at)
        except IntegrityError:
            # The same bytes came in another batch in this second; look again.
            if last_try:
                raise
    raise AssertionError("unreachable")


def claim_next(*, by: User, at: datetime) -> Scan | None:
    """The scan that this clerk keys next: the one they have, or the oldest that no one has.

    Of any number of clerks who ask at once, each gets another scan.

    :returns: ``None`` when every scan is entered, skipped or in other hands.
    :raises NotAllowed: not a clerk.
    """
    refuse(why_not_enter(by))
    for last_try in (False, True):
        try:
            return _claim_next(by=by, at=at)
        except IntegrityError:
            # The same clerk asked twice in this second; the second answer is their own scan.
            if last_try:
                raise
    raise AssertionError("unreachable")


@transaction.atomic
def _claim_next(*, by: User, at: datetime) -> Scan | None:
    scan = _in_hand(by).select_for_update(of=("self",)).first()
    if scan is None:
        free = Scan.objects.free(at=at)
        skips = connection.features.has_select_for_update_skip_locked
        scan = free.select_for_update(skip_locked=skips, of=("self",)).first()
    if scan is not None:
        _take(scan, by=by, at=at)
    return scan


@transaction.atomic
def claim(*, scan_id: int, by: User, at: datetime) -> Scan:
    """Take this scan, and lay down the one in hand. A scan skipped is taken up again.

    :raises NotAllowed: not a clerk, or the scan is settled.
    :raises TakenByAnother: someone keys it now.
    """
    refuse(why_not_enter(by))
    # With the one in hand, in the order of their ids, so that no two windows block each other.
    wanted = Scan.objects.filter(Q(pk=scan_id) | Q(state=Scan.State.WAITING, claimed_by=by))
    locked = list(wanted.select_for_update(of=("self",)).order_by("pk"))
    scan = _locked(scan_id)
    _refuse_settled(scan)
    if scan.is_held(at=at) and scan.claimed_by_id != by.pk:
        raise TakenByAnother(f"{why_not_skip(by, scan, at=at)} Take the next one.")
    for other in locked:
        if other.pk != scan.pk:
            _lay_down(other, by=by, at=at, why="Took another scan")
    if scan.state == Scan.State.SKIPPED:
        _take_up(scan, by=by, at=at)
    _take(scan, by=by, at=at)
    return scan


@transaction.atomic
def release(*, scan_id: int, by: User, at: datetime) -> Scan:
    """Lay a scan down unkeyed: the next clerk gets it.

    :raises NotAllowed: it is not in this clerk's hands.
    """
    scan = _locked(scan_id)
    if scan.state != Scan.State.WAITING or scan.claimed_by_id != by.pk:
        raise NotAllowed(f"{scan} is not in your hands.")
    return _lay_down(scan, by=by, at=at, why="Laid down")


@transaction.atomic
def skip(*, scan_id: int, reason: WhyNot, note: str, by: User, at: datetime) -> Scan:
    """Set a scan aside with a coded reason. It stays on the batch and on the supervisor's list.

    :raises NotAllowed: not a clerk, someone else keys it, it is settled, or the note is missing.
    """
    scan = _locked(scan_id)
    refuse(why_not_skip(by, scan, at=at))
    if reason in {WhyNot.OTHER, WhyNot.QUESTION} and not note:
        raise NotAllowed("Say in a few words what is the matter with the scan.")
    return _set_aside(scan, reason=reason, note=note, by=by, at=at)


@transaction.atomic
def return_to_queue(*, scan_id: int, by: User, at: datetime) -> Scan:
    """Put a scan that was skipped back among those that wait.

    :raises NotAllowed: not a clerk, or it is not skipped.
    """
    refuse(why_not_enter(by))
    scan = _locked(scan_id)
    if scan.state != Scan.State.SKIPPED:
        raise NotAllowed(f"{scan} is not skipped.")
    return _take_up(scan, by=by, at=at)


def keep_hold(*, scan_id: int, by: User, at: datetime) -> None:
    """Go on holding a scan while typing. A lease that has lapsed comes back if no one took it.

    Call it inside a transaction. It never refuses: whoever saves first has entered the scan.
    """
    scan = _locked(scan_id)
    if scan.state != Scan.State.WAITING:
        return
    is_free = scan.claimed_by_id == by.pk or not scan.is_held(at=at)
    if is_free and not _in_hand(by).exclude(pk=scan.pk).exists():
        _take(scan, by=by, at=at)


def settle_as_case(*, scan_id: int, case: Case, by: User, at: datetime) -> None:
    """Note on a locked scan that it became a case. Part of the act that takes the case in."""
    scan = _locked(scan_id)
    scan.state, scan.case, scan.settled_at = Scan.State.ENTERED, case, at
    scan.why_skipped = ""
    scan.claimed_by, scan.claimed_at = by, at
    scan.store(
        by=by,
        at=at,
        why=f"Entered as {case.number}",
        fields=["state", "case", "settled_at", "why_skipped", *_CLAIM],
    )


def set_aside_with_intake(
    *, scan_id: int, reason: WhyNot, note: str, by: User | None, at: datetime
) -> None:
    """What a canceled intake means for its scan: skipped, or back among those that wait."""
    scan = _locked(scan_id)
    if scan.state != Scan.State.WAITING or (by and scan.claimed_by_id not in {None, by.pk}):
        return
    if reason in {WhyNot.START_OVER, WhyNot.LEFT}:
        _lay_down(scan, by=by, at=at, why=reason.label)
    else:
        _set_aside(scan, reason=reason, note=note, by=by, at=at)


def _look_at(upload: UploadedFile, at: datetime) -> _CheckedUpload:
    name = files.services.shown_name(upload.name or "")
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    try:
        file = files.services.receive(upload=upload, at=at)
    except files.services.FileRefused as refusal:
        return _CheckedUpload(name, digest.hexdigest(), None, str(refusal))
    return _CheckedUpload(name, digest.hexdigest(), file, "")


@transaction.atomic
def _store(
    channel: Channel,
    received_on: date,
    uploads: Sequence[_CheckedUpload],
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
        )
        if upload.file is None:
            scan.state, scan.settled_at = Scan.State.REFUSED, at
        else:
            _note_if_known(scan, upload.file, at)
        scan.store(by=by, at=at)
    return batch


def _note_if_known(scan: Scan, file: StoredFile, at: datetime) -> None:
    """Whether these very bytes are at hand already, as a scan or as the form of a case."""
    at_hand = Scan.objects.filter(file=file).exclude(state=Scan.State.REPEATED).first()
    entered = (
        ApplicationPaper.objects.filter(file=file, kind=ApplicationPaper.Kind.APPLICATION)
        .select_related("application__case")
        .first()
    )
    if at_hand is None and entered is None:
        return
    scan.state, scan.settled_at, scan.same_as = Scan.State.REPEATED, at, at_hand
    if entered is not None:
        scan.case = entered.application.case
    elif at_hand is not None:
        scan.case = at_hand.case


def _locked(scan_id: int) -> Scan:
    scan: Scan = Scan.objects.select_for_update(of=("self",)).get(pk=scan_id)
    return scan


def _in_hand(by: User) -> ScanQuerySet:
    return Scan.objects.filter(state=Scan.State.WAITING, claimed_by=by)


def _refuse_settled(scan: Scan) -> None:
    if scan.state not in {Scan.State.WAITING, Scan.State.SKIPPED}:
        became = f", as {scan.case}" if scan.case else ""
        raise NotAllowed(f"{scan}: {scan.get_state_display().lower()}{became}.")


def _take(scan: Scan, *, by: User, at: datetime) -> None:
    mine = scan.claimed_by_id == by.pk
    if mine and scan.claimed_at is not None and scan.claimed_at > at - _RENEW_AFTER:
        return
    scan.claimed_by, scan.claimed_at = by, at
    scan.store(by=by, at=at, why="Claimed", fields=_CLAIM)


def _lay_down(scan: Scan, *, by: User | None, at: datetime, why: str) -> Scan:
    scan.claimed_by = scan.claimed_at = None
    return scan.store(by=by, at=at, why=why, fields=_CLAIM)


def _set_aside(scan: Scan, *, reason: WhyNot, note: str, by: User | None, at: datetime) -> Scan:
    scan.state, scan.settled_at = Scan.State.SKIPPED, at
    scan.why_skipped, scan.note = reason, note
    scan.claimed_by = scan.claimed_at = None
    fields = ["state", "settled_at", "why_skipped", "note", *_CLAIM]
    return scan.store(by=by, at=at, why=reason.label, fields=fields)


def _take_up(scan: Scan, *, by: User, at: datetime) -> Scan:
    scan.state, scan.settled_at, scan.why_skipped = Scan.State.WAITING, None, ""
    fields = ["state", "settled_at", "why_skipped"]
    return scan.store(by=by, at=at, why="Taken up again", fields=fields)
