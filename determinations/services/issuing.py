"""Preview and issue a determination. An issued determination is final."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

import letters.facts
import letters.services
import reviewers.services.assignment
from accounts.models import User
from accounts.refusals import NotAllowed, refuse_if
from cases.lifecycle import Status
from cases.models import Case, DisputedItem, Event, Priority
from cases.services import case_deadlines
from cases.services.extensions import DEADLINE_KIND_OF_PRIORITY
from cases.services.notice_deadlines import NOTICE_MARK
from correspondence.services.notices import build_address, list_notice_recipients
from deadlines.days import local_day
from determinations import composition, policies
from determinations.facts import DETERMINATION_FACTS, PROOFS
from determinations.models import CredentialStatement, Determination, Opinion, QualityReview, Review
from determinations.outcomes import derive_case_outcome
from letters.kinds import LetterKind
from letters.models import RenderedPreview
from reviewers import proofs
from reviewers.models import ReviewerAssignment


@dataclass(frozen=True)
class Readiness:
    """Whether a case can be issued now: the problems as sentences, the proofs, and the preview."""

    problems: tuple[str, ...]
    proofs: tuple[letters.facts.Fact, ...]
    preview: RenderedPreview | None


def describe_missing_proofs(assignment: ReviewerAssignment, *, at: datetime) -> str:
    """Describe the facts about the reviewer that are missing or expired, one sentence each.

    Empty if all sentences of the letter about the reviewer are supported.
    """
    on = local_day(at)
    line = proofs.get_credential_line(assignment, on=on, known_at=at)
    facts = composition.collect_seat_facts(assignment, line, on=on, at=at)
    needed = [one.name for one in PROOFS]
    # Only physicians are board certified; the letter says nothing of it for other licenses.
    if line.license_kind not in {"MD", "DO"}:
        needed.remove("board_certification")
    problems = letters.facts.find_fact_problems(
        facts, needed=needed, declared=DETERMINATION_FACTS, on=on
    )
    return " ".join(problems)


def preview_determination(
    *, case_id: int, only_seat: int | None = None, by: User, at: datetime
) -> RenderedPreview:
    """Render a preview of the letter. ``issue_determination`` requires a preview with exactly this
    text.

    :param only_seat: include only this reviewer, because reviewers decide independently and must
        not see what the others wrote.
    :raises LetterRefused: facts are missing or the letter cannot be typeset; names all problems.
    """
    # No lock, because rendering takes seconds. A preview is found by its text, so a text that
    # changes meanwhile has no preview.
    case = Case.objects.select_related("ur_decision").get(pk=case_id)
    composed = composition.compose_determination(case, at=at, only_seat=only_seat)
    return letters.services.preview_document(
        document=composed.document,
        layout=composed.layout,
        facts=composed.facts,
        declared=DETERMINATION_FACTS,
        by=by,
        at=at,
    )


def check_readiness(case: Case, *, at: datetime) -> Readiness:
    """Check whether this case can be issued now. Queries."""
    try:
        composed = composition.compose_determination(case, at=at)
    except letters.services.LetterRefused as refusal:
        return Readiness(tuple(refusal.problems), (), None)
    # The preview is looked up by the frozen text, so any change since makes it unusable.
    frozen_text = letters.services.freeze_words(
        document=composed.document, facts=composed.facts, declared=DETERMINATION_FACTS
    )
    proof_names = {one.name for one in PROOFS}
    return Readiness(
        problems=tuple(composed.document.problems(composed.layout)),
        proofs=tuple(fact for fact in composed.facts if fact.name in proof_names),
        preview=letters.services.find_document_preview(words=frozen_text, layout=composed.layout),
    )


@transaction.atomic
def issue_determination(
    *, case_id: int, seen_version: int | None, by: User, at: datetime
) -> Determination:
    """Issue the determination. It is final from then on.

    One transaction stores the outcome of every item, the text of the letter with the facts that
    support it, the credentials as printed, and the history. A worker renders the letter afterward;
    the user does not wait for it.

    :param at: the moment of issue; its Pacific day is the date of the decision.
    :raises NotAllowed: wrong role or stage, or the user's own decision.
    :raises Stale: another user acted on the case in between.
    :raises LetterRefused: a fact behind a sentence is missing or expired, or this text was not
        shown in a preview.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_issue(by, case))
    case.refuse_if_stale(seen_version)
    determination = policies.live_determination(case)
    if determination is None:
        raise NotAllowed("No review has been submitted for this case.")
    composed = composition.compose_determination(case, at=at)
    on = local_day(at)
    letter = letters.services.enqueue_letter(
        kind=LetterKind.DETERMINATION,
        reference=case.number,
        variant=f"round-{case.round}",
        layout=composed.layout,
        document=composed.document,
        facts=composed.facts,
        declared=DETERMINATION_FACTS,
        on=on,
        wording_set=composed.wording_set,
        variants=composed.variants,
        # The recipients are those of the notice of assignment, each by their own channel.
        recipients=[build_address(party) for party in list_notice_recipients(case, on=on)],
        require_preview=True,
        urgent=case.priority == Priority.EXPEDITED,
        by=by,
        at=at,
    )
    # As printed, so that later changes of the reviewer's file do not change an issued letter.
    _freeze_credentials(determination, composed, by=by, at=at)
    outcomes = []
    for decided in determination.decided_items.select_related("item"):
        item = decided.item
        if item.ending != DisputedItem.Ending.PENDING:
            continue  # authorized or withdrawn since the review was submitted
        item.ending, item.outcome, item.ended_at = DisputedItem.Ending.DECIDED, decided.outcome, at
        item.store(by=by, at=at, why="Issued", fields=["ending", "outcome", "ended_at"])
        outcomes.append(decided.outcome)
    # Derived from the items issued now, not from those submitted: some may have ended since.
    determination.state, determination.outcome = (
        Determination.State.ISSUED,
        derive_case_outcome(outcomes),
    )
    determination.issued_at, determination.issued_by = at, by
    determination.decided_on, determination.letter = on, letter
    determination.store(by=by, at=at, why="Issued")
    # Only now: until the issue, QA could return the review to its reviewer.
    _finish_reviews(case, by=by, at=at)
    case.decided_on = on
    case.store(by=by, at=at, why="Issued", fields=["decided_on"])
    case.move_to(Status.ISSUED, by=by, at=at)
    # Nothing happens for the kinds that this case does not have.
    for deadline_kind in (*DEADLINE_KIND_OF_PRIORITY.values(), NOTICE_MARK):
        case_deadlines.satisfy_deadline(case=case, deadline_kind=deadline_kind, by=by, at=at)
    Event.objects.create(
        case=case,
        kind=Event.Kind.ISSUED,
        happened_at=at,
        by=by,
        sentence=f"Determination issued: {determination.get_outcome_display()}.",
        facts={"outcome": determination.outcome, "items": outcomes},
        letter=letter,
    )
    return determination


def render_issued_copy(case: Case, *, layout: str) -> bytes:
    """Render the issued determination as a PDF: as issued, or its facts in another layout.

    Facts about the reviewer are those known when it was issued, even if they were corrected since.

    :raises LetterRefused: nothing was issued, or the layout needs a fact that was missing then.
    """
    determination = policies.live_determination(case)
    if determination is None or determination.letter is None or determination.issued_at is None:
        raise letters.services.LetterRefused([f"No determination of {case} was issued here."])
    letter = determination.letter
    # The letter as it was sent, even if the layout has a newer version.
    if letters.services.is_in_layout(letter, layout):
        return letters.services.load_letter_content(letter)
    document = composition.compose_determination(
        case, at=determination.issued_at, layout=layout
    ).document
    return letters.services.typeset_document(document=document, layout=layout)


@dataclass(frozen=True)
class ChangedText:
    """One text before and after a QA return."""

    title: str
    part: str
    old: str
    new: str


def list_changes_since_return(case: Case) -> list[ChangedText]:
    """List what changed since the last QA return. Empty before the first return. Queries."""
    determination = policies.live_determination(case)
    if determination is None:
        return []
    returned = (
        determination.quality_reviews.filter(result=QualityReview.Result.RETURNED)
        .order_by("-number")
        .first()
    )
    if returned is None:
        return []
    # The QA reviewer read the text as of this moment, so it is the old side of the comparison.
    before = returned.checked_at
    changes = []
    deciding = case.assignments.filter(round=case.round, state__in=ReviewerAssignment.DECIDING)
    assignments = list(deciding.order_by("seat"))
    for assignment in assignments:
        review = Review.objects.get(assignment=assignment)
        prefix = f"Reviewer {assignment.seat}, " if len(assignments) > 1 else ""
        rows: list[tuple[str, str, Review | Opinion, str]] = [
            (f"{prefix}Clinical case summary", "summary", review, "summary")
        ]
        rows += [
            (
                f"{prefix}Item {opinion.item.position}: {opinion.item.title}",
                f"item-{opinion.item_id}",
                opinion,
                "rationale",
            )
            for opinion in assignment.opinions.select_related("item").order_by("item__position")
        ]
        for title, part, row, field in rows:
            # The version at the time of the return. One query for each of the few parts.
            past = row.history.filter(history_date__lte=before).order_by(
                "-history_date", "-history_id"
            )
            old = getattr(past.first(), field, "") or ""
            new = getattr(row, field)
            if old != new:
                changes.append(ChangedText(title, part, old, new))
    return changes


def _freeze_credentials(
    determination: Determination, composed: composition.Composition, *, by: User, at: datetime
) -> None:
    for seat, line in composed.credentials.items():
        CredentialStatement(
            determination=determination,
            seat=seat,
            specialties=list(line.specialties),
            license_states=list(line.license_states),
            # How the letter joins them, in the words of the format of published decisions.
            separator="comma+space",
            placement=composed.layout,
        ).store(by=by, at=at, why="Frozen at issue")


def _finish_reviews(case: Case, *, by: User, at: datetime) -> None:
    accepted = case.assignments.filter(round=case.round, state=ReviewerAssignment.State.ACCEPTED)
    for assignment in accepted.order_by("seat"):
        review = Review.objects.get(assignment=assignment)
        review.state = Review.State.FINISHED
        review.store(by=by, at=at, why="Issued", fields=["state"])
        reviewers.services.assignment.finish_assignment(assignment_id=assignment.pk, by=by, at=at)
