"""Keeps unfinished application forms: saved while typing, resumed by their owner, or canceled."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.refusals import NotAllowed, StaleForm, refuse_if
from cases.models import Case
from intake.keying_time import count_keyed_seconds
from intake.models import DRAFT_DAYS, CanceledIntake, CancelReason, IntakeDraft
from intake.policies import why_not_cancel_draft, why_not_enter_application

from . import batches

Typed = Mapping[str, Sequence[str]]


class DraftChangedElsewhere(StaleForm):
    """The same form was changed in another window; ``draft`` holds the version saved there."""

    def __init__(self, draft: IntakeDraft) -> None:
        self.draft = draft
        super().__init__("This form was changed in another window.")


@transaction.atomic
def save_intake_draft(
    *,
    key: UUID,
    typed: Typed,
    revision: int | None,
    scan_id: int | None,
    opened_at: datetime | None = None,
    by: User,
    at: datetime,
) -> IntakeDraft:
    """Save the typed fields of a form, and renew the clerk's claim on its scan.

    :param revision: the draft's revision that the page last saw; ``None`` for the first save.
    :param opened_at: when the page with the form was opened; the keying time counts from then.
    :raises NotAllowed: not a clerk, not the owner, or the form was saved as a case or closed.
    :raises DraftChangedElsewhere: another window saved in between.
    """
    refuse_if(why_not_enter_application(by))
    # First create, then lock: a row that does not exist cannot be locked, and two windows may save
    # the same new form at once.
    IntakeDraft.objects.get_or_create(
        key=key,
        defaults={"owner": by, "scan_id": scan_id, "begun_at": at, "saved_at": at},
    )
    draft = IntakeDraft.objects.select_for_update(of=("self",)).get(key=key)
    if draft.owner_id != by.pk:
        raise NotAllowed("This form belongs to someone else.")
    if draft.case_id is not None:
        raise NotAllowed("This form was already saved as a case.")
    if not draft.is_open(at=at):
        raise NotAllowed("This form is closed. Start a new one.")
    # A new draft has revision 0, which equals a first save without a revision.
    if draft.revision != (revision or 0):
        raise DraftChangedElsewhere(draft)
    draft.content = {name: list(texts) for name, texts in typed.items()}
    # The first save sees the moment of its own creation, which says nothing about the time before.
    last_sign = [draft.saved_at] if draft.revision else []
    since = max([*last_sign, *([opened_at] if opened_at else [])], default=at)
    draft.keyed_seconds += count_keyed_seconds(since=since, until=at)
    draft.revision += 1
    draft.saved_at = at
    draft.save(update_fields=["content", "revision", "saved_at", "keyed_seconds"])
    if draft.scan_id is not None:
        batches.renew_scan_claim(scan_id=draft.scan_id, by=by, at=at)
    return draft


def list_open_drafts(*, of: User, at: datetime) -> QuerySet[IntakeDraft]:
    """List the drafts that a clerk can continue, latest first; lapsed drafts are left out."""
    return (
        IntakeDraft.objects.filter(
            owner=of, ended_at__isnull=True, saved_at__gt=at - timedelta(days=DRAFT_DAYS)
        )
        .select_related("scan__batch")
        .order_by("-saved_at")
    )


def lock_intake_draft(*, key: UUID) -> None:
    """Lock the draft of a form. Always lock a draft before its scan, to avoid deadlocks."""
    IntakeDraft.objects.select_for_update(of=("self",)).filter(key=key).first()


def mark_draft_entered(*, key: UUID, case: Case, by: User, at: datetime) -> None:
    """Record on a draft which case it became; runs in the transaction that receives the case."""
    draft = IntakeDraft.objects.filter(key=key, ended_at__isnull=True).first()
    # A form may be saved before its first draft; its keying time is not known.
    if draft is None:
        return
    draft.keyed_seconds += count_keyed_seconds(since=draft.saved_at, until=at)
    draft.case, draft.ended_at = case, at
    draft.save(update_fields=["case", "ended_at", "keyed_seconds"])


@transaction.atomic
def cancel_intake_draft(
    *, key: UUID, reason: CancelReason, note: str, by: User, at: datetime
) -> CanceledIntake:
    """Cancel an unfinished form for a coded reason. Its scan is skipped or waits again.

    :raises NotAllowed: neither its owner nor a supervisor, the form is closed, or the note that the
        reason requires is missing.
    """
    draft = IntakeDraft.objects.select_for_update(of=("self",)).get(key=key)
    refuse_if(why_not_cancel_draft(by, draft))
    if reason in {CancelReason.OTHER, CancelReason.QUESTION} and not note:
        raise NotAllowed("Describe the problem in a few words.")
    return _end_draft(draft, reason=reason, note=note, by=by, at=at)


def close_lapsed_drafts(*, at: datetime, limit: int = 500) -> int:
    """Close the drafts that have lapsed, as left unfinished; return their number.

    A draft lapses by its date alone. This only writes the row that the supervisor sees, so it may
    run late or twice.
    """
    lapsed = IntakeDraft.objects.filter(
        ended_at__isnull=True, saved_at__lte=at - timedelta(days=DRAFT_DAYS)
    )
    ended = 0
    for draft_id in list(lapsed.order_by("pk").values_list("pk", flat=True)[:limit]):
        # One transaction per draft: locks are short, and a failure does not undo the others.
        with transaction.atomic():
            draft = IntakeDraft.objects.select_for_update(of=("self",)).get(pk=draft_id)
            # The owner may have saved or canceled the draft since the query above.
            if draft.ended_at is None and not draft.is_open(at=at):
                _end_draft(draft, reason=CancelReason.LEFT, note="", by=None, at=at)
                ended += 1
    return ended


def _end_draft(
    draft: IntakeDraft, *, reason: CancelReason, note: str, by: User | None, at: datetime
) -> CanceledIntake:
    draft.ended_at = at
    draft.save(update_fields=["ended_at"])
    if draft.scan_id is not None:
        batches.release_or_skip_scan(scan_id=draft.scan_id, reason=reason, note=note, by=by, at=at)
    return CanceledIntake(draft=draft, reason=reason, note=note, ended_at=at, ended_by=by).store(
        by=by, at=at, why=reason.label
    )
