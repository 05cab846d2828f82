"""QA reviews: return a review for changes, approve it, or void an approval."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.consolidated_items import list_decided_items
from cases.lifecycle import Status
from cases.models import Case, Event, UndoableAct
from cases.services import undoing
from determinations import policies
from determinations.models import Determination, QualityReview, Review
from reviewers.models import ReviewerAssignment
from reviewers.services.review_notices import notify_reviewer


@transaction.atomic
def return_review(
    *,
    case_id: int,
    comment: str,
    item_id: int | None,
    seat: int | None = None,
    seen_version: int | None,
    by: User,
    at: datetime,
) -> QualityReview:
    """Return the review to the reviewer for changes.

    :param comment: what to change.
    :param item_id: the disputed item that the comment is about, if it is about one.
    :param seat: the reviewer to whom it is returned; all reviewers if ``None``.
    :raises NotAllowed: wrong role or stage, the user's own decision, or no comment.
    :raises Stale: another user acted on the case in between.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_check_quality(by, case))
    case.refuse_if_stale(seen_version)
    # The comment is all that tells the reviewer what to change. The database requires it too.
    refuse_if("" if comment.strip() else "Enter what to change before you return the review.")
    if item_id is not None:
        # Includes the items of consolidated cases, which this determination decides too.
        is_item_of_case = list_decided_items(case).filter(pk=item_id).exists()
        refuse_if("" if is_item_of_case else "Choose an item of this case.")
    # Reviews of other seats stay submitted, so those reviewers do not have to sign again.
    reviews = [one for one in _load_reviews(case) if seat in {None, one.assignment.seat}]
    refuse_if("" if reviews else "Choose a reviewer of this case.")
    determination = _require_determination(case)
    reading = _store_quality_review(
        determination,
        QualityReview.Result.RETURNED,
        comment.strip(),
        item_id,
        seat,
        by=by,
        at=at,
    )
    determination.state = Determination.State.RETURNED
    determination.store(by=by, at=at, why=comment, fields=["state"])
    for review in reviews:
        review.state = Review.State.RETURNED
        review.store(by=by, at=at, why=comment, fields=["state"])
        notify_reviewer(
            assignment=review.assignment,
            kind="REVIEW_RETURNED",
            key=f"quality review {reading.pk}",
            at=at,
        )
    case.move_to(Status.IN_REVIEW, by=by, at=at, why=comment)
    whom = "the reviewer" if seat is None else f"reviewer {seat}"
    sentence = f"Returned to {whom} for changes."
    _record_event(case, Event.Kind.QA_RETURNED, sentence, comment, by=by, at=at)
    return reading


@transaction.atomic
def approve_review(
    *, case_id: int, comment: str, seen_version: int | None, by: User, at: datetime
) -> QualityReview:
    """Approve the review, so that the determination can be issued. Can be undone for ten seconds.

    :raises NotAllowed: wrong role or stage, or the user's own decision.
    :raises Stale: another user acted on the case in between.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_check_quality(by, case))
    case.refuse_if_stale(seen_version)
    kind = UndoableAct.Kind.QA_APPROVED
    rows_before = undoing.remember_rows(cases=[case], kind=kind)
    determination = _require_determination(case)
    reading = _store_quality_review(
        determination,
        QualityReview.Result.APPROVED,
        comment.strip(),
        None,
        None,
        by=by,
        at=at,
    )
    determination.state = Determination.State.APPROVED
    determination.approved_at, determination.approved_by = at, by
    determination.store(by=by, at=at, fields=["state", "approved_at", "approved_by"])
    case.move_to(Status.APPROVED, by=by, at=at)
    _record_event(case, Event.Kind.QA_APPROVED, "Approved for issue.", comment, by=by, at=at)
    undoing.offer_undo(
        case=case, kind=kind, rows_before=rows_before, subject_id=reading.pk, by=by, at=at
    )
    return reading


@transaction.atomic
def undo_approve_review(*, act_id: int, by: User, at: datetime) -> Case:
    """Undo an approval; the case is in QA review again. The approval stays on file as voided.

    :raises NotAllowed: another person approved it, or the ten seconds have passed.
    :raises FollowedBySomething: the determination was issued, or something else was done.
    """
    kind = UndoableAct.Kind.QA_APPROVED
    act = undoing.lock_undoable_act(act_id=act_id, kind=kind, by=by, at=at)
    _take_back_approval(_require_determination(act.case), "Undone", by=by, at=at)
    undoing.restore_rows(act=act, by=by, at=at)
    undoing.record_undone(act=act, by=by, at=at)
    return act.case


@transaction.atomic
def void_approval(*, case_id: int, reason: str, by: User, at: datetime) -> None:
    """Void the approval and return the case to QA review. The voided approval stays on file.

    :raises NotAllowed: wrong role or stage, or no reason.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_void_approval(by, case))
    refuse_if("" if reason.strip() else "Enter why the approval is voided.")
    _take_back_approval(_require_determination(case), reason, by=by, at=at)
    case.move_to(Status.QA, by=by, at=at, why=reason)
    _record_event(case, Event.Kind.APPROVAL_VOIDED, "Approval voided.", reason, by=by, at=at)


def _take_back_approval(
    determination: Determination, reason: str, *, by: User, at: datetime
) -> None:
    # The row stays, so that the file shows that the determination was approved before.
    for reading in determination.quality_reviews.filter(
        result=QualityReview.Result.APPROVED, voided_at__isnull=True
    ):
        reading.voided_at = at
        reading.store(by=by, at=at, why=reason, fields=["voided_at"])
    determination.state = Determination.State.IN_QA
    # Cleared, so that only a new approval lets it be issued. A constraint requires one.
    determination.approved_at = determination.approved_by = None
    determination.store(by=by, at=at, why=reason, fields=["state", "approved_at", "approved_by"])


def _require_determination(case: Case) -> Determination:
    determination = policies.live_determination(case)
    if determination is None:
        raise NotAllowed("No review has been submitted for this case.")
    return determination


def _load_reviews(case: Case) -> list[Review]:
    return list(
        Review.objects.filter(
            assignment__case=case,
            assignment__round=case.round,
            assignment__state=ReviewerAssignment.State.ACCEPTED,
        ).select_related("assignment__case", "assignment__reviewer__user")
    )


def _store_quality_review(
    determination: Determination,
    result: QualityReview.Result,
    comment: str,
    item_id: int | None,
    seat: int | None,
    *,
    by: User,
    at: datetime,
) -> QualityReview:
    return QualityReview(
        determination=determination,
        # The case is locked, so two reviews cannot get the same number.
        number=determination.quality_reviews.count() + 1,
        result=result,
        comment=comment,
        item_id=item_id,
        seat=seat,
        checked_at=at,
        checked_by=by,
    ).store(by=by, at=at, why=comment)


def _record_event(
    case: Case, kind: Event.Kind, sentence: str, why: str, *, by: User, at: datetime
) -> None:
    Event.objects.create(
        case=case, kind=kind, happened_at=at, by=by, sentence=sentence, why=why.strip()
    )
