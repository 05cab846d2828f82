"""Sheets in batches: taken in as they came, keyed by one clerk at a time, or set aside."""

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
from intake.models import Batch, Sheet, SheetQuerySet, WhyNot
from intake.policies import why_not_enter, why_not_park

MOST_SHEETS = 100  # in one batch
_RENEW_AFTER = timedelta(minutes=5)  # a lease is written anew at most this often
_CLAIM = ["claimed_by", "claimed_at"]


@dataclass(frozen=True)
class _Scan:
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
    """Take scans in as one batch, one sheet a file.

    A file that cannot be read becomes a refused sheet with its reason, and spoils nothing. Bytes
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
    scans = [_look_at(upload, at) for upload in uploads]
    for last_try in (False, True):
        try:
            return _store(channel, received_on, scans, note, folder, by=by, at=at)
        except IntegrityError:
            # The same bytes came in another batch in this second; look again.
            if last_try:
                raise
    raise AssertionError("unreachable")


def claim_next(*, by: User, at: datetime) -> Sheet | None:
    """The sheet that this clerk keys next: the one they have, or the oldest that nobody has.

    Of any number of clerks who ask at once, each gets another sheet.

    :returns: ``None`` when every sheet is entered, set aside or in other hands.
    :raises NotAllowed: not a clerk.
    """
    refuse(why_not_enter(by))
    for last_try in (False, True):
        try:
            return _claim_next(by=by, at=at)
        except IntegrityError:
            # The same clerk asked twice in this second; the second answer is their own sheet.
            if last_try:
                raise
    raise AssertionError("unreachable")


@transaction.atomic
def _claim_next(*, by: User, at: datetime) -> Sheet | None:
    sheet = _in_hand(by).select_for_update(of=("self",)).first()
    if sheet is None:
        free = Sheet.objects.free(at=at)
        skips = connection.features.has_select_for_update_skip_locked
        sheet = free.select_for_update(skip_locked=skips, of=("self",)).first()
    if sheet is not None:
        _take(sheet, by=by, at=at)
    return sheet


@transaction.atomic
def claim(*, sheet_id: int, by: User, at: datetime) -> Sheet:
    """Take this sheet, and lay down the one in hand. A sheet set aside is taken up again.

    :raises NotAllowed: not a clerk, or the sheet is settled.
    :raises TakenByAnother: somebody keys it now.
    """
    refuse(why_not_enter(by))
    # With the one in hand, in the order of their ids, so that no two windows block each other.
    wanted = Sheet.objects.filter(Q(pk=sheet_id) | Q(state=Sheet.State.WAITING, claimed_by=by))
    locked = list(wanted.select_for_update(of=("self",)).order_by("pk"))
    sheet = _locked(sheet_id)
    _refuse_settled(sheet)
    if sheet.is_held(at=at) and sheet.claimed_by_id != by.pk:
        raise TakenByAnother(f"{why_not_park(by, sheet, at=at)} Take the next one.")
    for other in locked:
        if other.pk != sheet.pk:
            _lay_down(other, by=by, at=at, why="Took another sheet")
    if sheet.state == Sheet.State.PARKED:
        _take_up(sheet, by=by, at=at)
    _take(sheet, by=by, at=at)
    return sheet


@transaction.atomic
def release(*, sheet_id: int, by: User, at: datetime) -> Sheet:
    """Lay a sheet down unkeyed: the next clerk gets it.

    :raises NotAllowed: it is not in this clerk's hands.
    """
    sheet = _locked(sheet_id)
    if sheet.state != Sheet.State.WAITING or sheet.claimed_by_id != by.pk:
        raise NotAllowed(f"{sheet} is not in your hands.")
    return _lay_down(sheet, by=by, at=at, why="Laid down")


@transaction.atomic
def park(*, sheet_id: int, reason: WhyNot, note: str, by: User, at: datetime) -> Sheet:
    """Set a sheet aside with a coded reason. It stays on the batch and on the supervisor's list.

    :raises NotAllowed: not a clerk, somebody else keys it, it is settled, or the note is missing.
    """
    sheet = _locked(sheet_id)
    refuse(why_not_park(by, sheet, at=at))
    if reason in {WhyNot.OTHER, WhyNot.QUESTION} and not note:
        raise NotAllowed("Say in a few words what is the matter with the sheet.")
    return _set_aside(sheet, reason=reason, note=note, by=by, at=at)


@transaction.atomic
def unpark(*, sheet_id: int, by: User, at: datetime) -> Sheet:
    """Put a sheet that was set aside back among those that wait.

    :raises NotAllowed: not a clerk, or it is not set aside.
    """
    refuse(why_not_enter(by))
    sheet = _locked(sheet_id)
    if sheet.state != Sheet.State.PARKED:
        raise NotAllowed(f"{sheet} is not set aside.")
    return _take_up(sheet, by=by, at=at)


def keep_hold(*, sheet_id: int, by: User, at: datetime) -> None:
    """Go on holding a sheet while typing. A lease that has lapsed comes back if nobody took it.

    Call it inside a transaction. It never refuses: whoever saves first has entered the sheet.
    """
    sheet = _locked(sheet_id)
    if sheet.state != Sheet.State.WAITING:
        return
    is_free = sheet.claimed_by_id == by.pk or not sheet.is_held(at=at)
    if is_free and not _in_hand(by).exclude(pk=sheet.pk).exists():
        _take(sheet, by=by, at=at)


def settle_as_case(*, sheet_id: int, case: Case, by: User, at: datetime) -> None:
    """Note on a locked sheet that it became a case. Part of the act that takes the case in."""
    sheet = _locked(sheet_id)
    sheet.state, sheet.case, sheet.settled_at = Sheet.State.ENTERED, case, at
    sheet.why_parked = ""
    sheet.claimed_by, sheet.claimed_at = by, at
    sheet.store(
        by=by,
        at=at,
        why=f"Entered as {case.number}",
        fields=["state", "case", "settled_at", "why_parked", *_CLAIM],
    )


def set_aside_with_intake(
    *, sheet_id: int, reason: WhyNot, note: str, by: User | None, at: datetime
) -> None:
    """What a canceled intake means for its sheet: set aside, or back among those that wait."""
    sheet = _locked(sheet_id)
    if sheet.state != Sheet.State.WAITING or (by and sheet.claimed_by_id not in {None, by.pk}):
        return
    if reason in {WhyNot.START_OVER, WhyNot.LEFT}:
        _lay_down(sheet, by=by, at=at, why=reason.label)
    else:
        _set_aside(sheet, reason=reason, note=note, by=by, at=at)


def _look_at(upload: UploadedFile, at: datetime) -> _Scan:
    name = files.services.shown_name(upload.name or "")
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    try:
        file = files.services.receive(upload=upload, at=at)
    except files.services.FileRefused as refusal:
        return _Scan(name, digest.hexdigest(), None, str(refusal))
    return _Scan(name, digest.hexdigest(), file, "")


@transaction.atomic
def _store(
    channel: Channel,
    received_on: date,
    scans: Sequence[_Scan],
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
    for position, scan in enumerate(scans, start=1):
        sheet = Sheet(
            batch=batch,
            position=position,
            received_on=received_on,
            name_received=scan.name,
            sha256=scan.sha256,
            file=scan.file,
            refusal=scan.refusal[:300],
        )
        if scan.file is None:
            sheet.state, sheet.settled_at = Sheet.State.REFUSED, at
        else:
            _note_if_known(sheet, scan.file, at)
        sheet.store(by=by, at=at)
    return batch


def _note_if_known(sheet: Sheet, file: StoredFile, at: datetime) -> None:
    """Whether these very bytes are at hand already, as a sheet or as the form of a case."""
    at_hand = Sheet.objects.filter(file=file).exclude(state=Sheet.State.REPEATED).first()
    entered = (
        ApplicationPaper.objects.filter(file=file, kind=ApplicationPaper.Kind.APPLICATION)
        .select_related("application__case")
        .first()
    )
    if at_hand is None and entered is None:
        return
    sheet.state, sheet.settled_at, sheet.same_as = Sheet.State.REPEATED, at, at_hand
    if entered is not None:
        sheet.case = entered.application.case
    elif at_hand is not None:
        sheet.case = at_hand.case


def _locked(sheet_id: int) -> Sheet:
    sheet: Sheet = Sheet.objects.select_for_update(of=("self",)).get(pk=sheet_id)
    return sheet


def _in_hand(by: User) -> SheetQuerySet:
    return Sheet.objects.filter(state=Sheet.State.WAITING, claimed_by=by)


def _refuse_settled(sheet: Sheet) -> None:
    if sheet.state not in {Sheet.State.WAITING, Sheet.State.PARKED}:
        became = f", as {sheet.case}" if sheet.case else ""
        raise NotAllowed(f"{sheet}: {sheet.get_state_display().lower()}{became}.")


def _take(sheet: Sheet, *, by: User, at: datetime) -> None:
    mine = sheet.claimed_by_id == by.pk
    if mine and sheet.claimed_at is not None and sheet.claimed_at > at - _RENEW_AFTER:
        return
    sheet.claimed_by, sheet.claimed_at = by, at
    sheet.store(by=by, at=at, why="Claimed", fields=_CLAIM)


def _lay_down(sheet: Sheet, *, by: User | None, at: datetime, why: str) -> Sheet:
    sheet.claimed_by = sheet.claimed_at = None
    return sheet.store(by=by, at=at, why=why, fields=_CLAIM)


def _set_aside(sheet: Sheet, *, reason: WhyNot, note: str, by: User | None, at: datetime) -> Sheet:
    sheet.state, sheet.settled_at = Sheet.State.PARKED, at
    sheet.why_parked, sheet.note = reason, note
    sheet.claimed_by = sheet.claimed_at = None
    fields = ["state", "settled_at", "why_parked", "note", *_CLAIM]
    return sheet.store(by=by, at=at, why=reason.label, fields=fields)


def _take_up(sheet: Sheet, *, by: User, at: datetime) -> Sheet:
    sheet.state, sheet.settled_at, sheet.why_parked = Sheet.State.WAITING, None, ""
    fields = ["state", "settled_at", "why_parked"]
    return sheet.store(by=by, at=at, why="Taken up again", fields=fields)
