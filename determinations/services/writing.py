"""Write a review: save drafts and versions, cite authorities, and submit."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

import records.services.dispatch
import records.services.reading
from accounts.models import User
from accounts.refusals import NotAllowed, Refused, StaleForm, refuse_if
from cases.case_rows import rows_of
from cases.consolidated_items import list_decided_items
from cases.lifecycle import Status
from cases.models import Case, DisputedItem, Event
from determinations import checks, policies
from determinations.models import (
    DecidedItem,
    Determination,
    Draft,
    EvidenceRank,
    Opinion,
    OpinionCitation,
    PartyTerm,
    Review,
)
from determinations.outcomes import derive_item_outcome
from directory.names import fold_name
from guidelines.models import Recommendation
from letters.glyphs import find_unprintable, normalize_text
from letters.outcomes import CHOICE, Outcome
from reviewers.models import ReviewerAssignment
from reviewers.services.assignment import lock_assignment

from .issuing import describe_missing_proofs
from .rule_texts import find_request_date, list_rule_texts

EDITING_SPAN = timedelta(minutes=15)  # after this time a saved draft becomes a version
# Against a pasted medical record. No rationale of a letter comes near this length.
LONGEST_TEXT = 50_000  # characters

_ITEM_FIELDS = ("outcome", "rationale", "basis", "why_not_higher")


class DraftConflict(StaleForm):
    """The draft was saved in another window in between. Holds both texts."""

    def __init__(self, stored: Draft, submitted: Mapping[str, Any]) -> None:
        self.theirs, self.mine = stored, dict(submitted)
        super().__init__(
            "This text was changed in another window. Compare both versions and keep one."
        )


class ReviewUnfinished(Refused):
    """The review is not complete. ``findings`` lists everything that is missing."""

    def __init__(self, findings: list[checks.Blocker]) -> None:
        self.findings = findings
        super().__init__(" ".join(finding.sentence for finding in findings))


@transaction.atomic
def open_review(*, assignment_id: int, by: User, at: datetime) -> Review:
    """Start a review: send the case file to the reviewer and create empty opinions.

    :raises NotAllowed: the case is not assigned to this user, or not yet accepted.
    """
    # The lock first: the assignment may end while this call waits, and the check must see that.
    assignment = lock_assignment(assignment_id)
    refuse_if(policies.why_not_write(by, assignment))
    # The file is sent when the reviewer opens the case: what was added before is then included.
    records.services.dispatch.ensure_case_file_dispatched(assignment_id=assignment.pk, by=by, at=at)
    review = Review.objects.filter(assignment=assignment).first()
    # Opening twice must not fail: the page posts this when it loads, even in two windows at once.
    if review is None:
        review = Review(assignment=assignment).store(by=by, at=at, why="Opened")
    stored_ids = set(assignment.opinions.values_list("item_id", flat=True))
    # Only the missing ones: an opinion that exists may already hold text.
    for item in _pending_items(assignment.case):
        if item.pk not in stored_ids:
            Opinion(assignment=assignment, item=item).store(by=by, at=at, why="Opened")
    return review


def is_opened(assignment: ReviewerAssignment) -> bool:
    """Return whether the reviewer has the current case file and an opinion on every item.

    Queries.
    """
    opinion_ids = {opinion.item_id for opinion in list_opinions(assignment)}
    return (
        policies.find_review(assignment) is not None
        and records.services.dispatch.is_dispatch_current(assignment)
        and all(item.pk in opinion_ids for item in _pending_items(assignment.case))
    )


def list_opinions(assignment: ReviewerAssignment) -> list[Opinion]:
    """List the opinions of an assignment with their items and citations. At most three queries."""
    rows = (
        assignment.opinions.select_related("item__case__ur_decision", "item__parent")
        .prefetch_related("citations", "item__administrator_citations")
        .order_by("item__position")
    )
    return rows_of(assignment.case).once(("opinions", assignment.pk), lambda: list(rows))


def map_drafts(assignment: ReviewerAssignment) -> dict[str, Draft]:
    """Map the parts of a review to their drafts. At most one query."""
    return rows_of(assignment.case).once(
        ("drafts", assignment.pk), lambda: {row.part: row for row in assignment.drafts.all()}
    )


@transaction.atomic
def save_review_draft(
    *,
    assignment_id: int,
    part: str,
    content: Mapping[str, Any],
    revision: int,
    by: User,
    at: datetime,
) -> Draft:
    """Save what was typed as a draft. After ``EDITING_SPAN`` it becomes a version.

    :param part: "summary" or "item-<id>".
    :param content: the fields of that part, as typed.
    :param revision: the revision of the draft that the page showed.
    :raises DraftConflict: another window saved a newer revision; nothing is overwritten.
    :raises NotAllowed: the review can no longer be changed, or a text is too long.
    """
    assignment = lock_assignment(assignment_id)
    refuse_if(policies.why_not_write(by, assignment))
    draft = _store_draft(assignment, part, content, revision, at=at)
    # A version for every autosave would bury the history; none would lose hours of text.
    if draft.started_at and at - draft.started_at >= EDITING_SPAN:
        _save_draft_version(draft, by=by, at=at, why="Saved after 15 minutes of editing")
    return draft


@transaction.atomic
def save_version(
    *,
    assignment_id: int,
    part: str,
    content: Mapping[str, Any] | None = None,
    revision: int = 0,
    by: User,
    at: datetime,
    why: str,
) -> None:
    """Save the draft of a part as a numbered version, for example when the reviewer leaves it.

    :param content: the text on the page, to be saved first; ``None`` if it is saved already.
    :param revision: the revision of the draft that the page showed.
    :param why: the reason shown in the list of versions.
    :raises DraftConflict: another window saved a newer revision; nothing is overwritten.
    :raises NotAllowed: the review can no longer be changed.
    """
    assignment = lock_assignment(assignment_id)
    refuse_if(policies.why_not_write(by, assignment))
    if content is not None:
        _store_draft(assignment, part, content, revision, at=at)
    _save_part_versions(assignment, [part], by=by, at=at, why=why)


@transaction.atomic
def add_citation(
    *,
    assignment_id: int,
    item_id: int,
    recommendation_id: int | None,
    as_printed: str,
    by: User,
    at: datetime,
) -> OpinionCitation:
    """Add a citation to an item: a recommendation of our guidelines, or another source as text.

    :raises NotAllowed: the review can no longer be changed, no source was given, or the item
        already cites it, so that a second click adds nothing.
    """
    assignment = lock_assignment(assignment_id)
    refuse_if(policies.why_not_write(by, assignment))
    refuse_if(
        ""
        if recommendation_id or as_printed.strip()
        else "Choose a guideline from the list, or enter the source that you rely on."
    )
    # Looked up through the assignment, so that an item of another case cannot be cited on.
    opinion = Opinion.objects.get(assignment=assignment, item_id=item_id)
    # Counted over removed citations too, so that a position is never used a second time.
    last = opinion.citations.order_by("-position").values_list("position", flat=True).first()
    citation = OpinionCitation(opinion=opinion, position=(last or 0) + 1)
    if recommendation_id:
        recommendations = Recommendation.objects.select_related("edition__guideline__source")
        recommendation = recommendations.filter(pk=recommendation_id).first()
        # The number comes from the page and may be stale or forged.
        if recommendation is None:
            raise NotAllowed("Choose a guideline from the list.")
        _cite_recommendation(citation, recommendation)
    else:
        text, _ = normalize_text(as_printed.strip())
        refuse_if(_describe_unprintable(text))
        # Typed text never counts as MTUS: only a recommendation on file shows that.
        citation.source, citation.mtus = "Other publication", False
        citation.chapter_topic = citation.as_printed = text
    # Removed citations do not count, so a reviewer can cite a source again.
    same = {
        "recommendation": citation.recommendation,
        "as_printed": citation.as_printed,
        "removed_at": None,
    }
    refuse_if("This source is already cited." if opinion.citations.filter(**same).exists() else "")
    return citation.store(by=by, at=at, why="Cited")


@transaction.atomic
def remove_citation(*, assignment_id: int, citation_id: int, by: User, at: datetime) -> None:
    """Remove a citation from an item. It stays in the history. A second call changes nothing.

    :raises NotAllowed: the review can no longer be changed.
    """
    assignment = lock_assignment(assignment_id)
    refuse_if(policies.why_not_write(by, assignment))
    citation = OpinionCitation.objects.get(pk=citation_id, opinion__assignment=assignment)
    if citation.removed_at is None:
        citation.removed_at = at
        citation.store(by=by, at=at, why="Citation removed", fields=["removed_at"])


def find_unfinished(assignment: ReviewerAssignment) -> list[checks.Blocker]:
    """List everything that prevents submission, based on the drafts. Queries."""
    return checks.find_blockers(_build_review_draft(assignment))


@transaction.atomic
def submit_review(*, assignment_id: int, by: User, at: datetime) -> Determination | None:
    """Sign the review. When every reviewer has submitted, the case moves to QA review.

    The determination is derived from the opinions: the majority decides, and an even split approves
    the treatment (Labor Code 4610.6(e)). The facts that the letter states about the reviewer must
    hold on this day. Returns ``None`` while another reviewer of the case has not submitted.

    :raises ReviewUnfinished: something is missing; lists everything.
    :raises NotAllowed: wrong user or stage, or a fact about the reviewer is missing or expired.
    """
    assignment = lock_assignment(assignment_id)
    case = assignment.case
    refuse_if(policies.why_not_write(by, assignment))
    # Versions before checks: what is checked, signed and printed must be the same stored text.
    parts = [draft.part for draft in assignment.drafts.all()]
    _save_part_versions(assignment, parts, by=by, at=at, why="Submitted")
    findings = find_unfinished(assignment)
    if findings:
        raise ReviewUnfinished(findings)
    # Issuing checks this again. Asked here too, while the reviewer can still add what is missing.
    refuse_if(describe_missing_proofs(assignment, at=at))
    review = assignment.review
    review.state, review.submitted_at = Review.State.SUBMITTED, at
    review.times_submitted += 1
    number = f"submission {review.times_submitted}"
    review.store(by=by, at=at, why=number.capitalize())
    # A version of every opinion, even if unchanged, marks what this submission consisted of.
    for opinion in assignment.opinions.select_related("item"):
        opinion.store(by=by, at=at, why=number.capitalize())
    # Before counting who is missing: a reopened review has to be submitted again.
    _reopen_outdated(case, except_for=assignment, by=by, at=at)
    waiting = policies.seats_without_review(case)
    if waiting:
        # A new version of the case makes forms stale that were opened before this review.
        case.store(by=by, at=at, why="A review was submitted", fields=[])
        determination = None
        sentence = f"Review submitted ({number}). Waiting for {policies.describe_seats(waiting)}."
    else:
        # Only now, because a majority needs the opinions of all reviewers (Labor Code 4610.6(e)).
        determination = _derive_determination(case, by=by, at=at)
        case.move_to(Status.QA, by=by, at=at)
        sentence = f"Review submitted for QA review ({number})."
    Event.objects.create(
        case=case,
        kind=Event.Kind.SUBMITTED,
        happened_at=at,
        by=by,
        # The seat lets pages show "the reviewer" to users who may not see the name.
        by_reviewer_seat=assignment.seat,
        sentence=sentence,
    )
    return determination


def _reopen_outdated(case: Case, *, except_for: ReviewerAssignment, by: User, at: datetime) -> None:
    """Reopen submitted reviews of other reviewers that are no longer complete.

    For example, a record was added since: all reviewers must decide on the same case file.
    """
    others = (
        case.assignments.filter(round=case.round, review__state=Review.State.SUBMITTED)
        .filter(state=ReviewerAssignment.State.ACCEPTED)
        .exclude(pk=except_for.pk)
        .select_related("reviewer", "review")
    )
    for other in others:
        # The locked case, not a copy that the query would read for each review.
        other.case = case
        findings = find_unfinished(other)
        if findings:
            why = " ".join(finding.sentence for finding in findings)
            other.review.state = Review.State.RETURNED
            # Stored as a change by the system: neither reviewer has reopened it.
            other.review.store(by=None, at=at, why=why, fields=["state"])


def _derive_determination(case: Case, *, by: User, at: datetime) -> Determination:
    # After a QA return the same row continues, so that all QA reviews of a round stay together.
    determination = policies.live_determination(case) or Determination(case=case, round=case.round)
    determination.state, determination.submitted_at = Determination.State.IN_QA, at
    determination.store(by=by, at=at, why="Derived from the opinions")
    for item in _pending_items(case):
        opinions = list(
            Opinion.objects.filter(
                item=item,
                assignment__round=case.round,
                assignment__state=ReviewerAssignment.State.ACCEPTED,
            ).values_list("outcome", flat=True)
        )
        # ``how`` is stored too, so that nobody has to count the opinions again.
        outcome, how = derive_item_outcome(opinions)
        decided = DecidedItem.objects.filter(determination=determination, item=item).first()
        decided = decided or DecidedItem(determination=determination, item=item)
        decided.outcome, decided.how = outcome, how
        decided.store(by=by, at=at)
    return determination


def _pending_items(case: Case) -> list[DisputedItem]:
    # Items withdrawn or authorized since are not decided and not printed.
    return list(list_decided_items(case).filter(ending=DisputedItem.Ending.PENDING))


def _store_draft(
    assignment: ReviewerAssignment,
    part: str,
    content: Mapping[str, Any],
    revision: int,
    *,
    at: datetime,
) -> Draft:
    clean = _clean_content(assignment, part, content)
    draft = Draft.objects.filter(assignment=assignment, part=part).first()
    if draft is None:
        draft = Draft(assignment=assignment, part=part, revision=0)
    # Another window has saved since this page was loaded. Neither text may be lost silently.
    if draft.revision != revision:
        raise DraftConflict(draft, clean)
    # Merged, because a form may send only some fields of the part.
    draft.content, draft.saved_at = {**draft.content, **clean}, at
    draft.revision += 1
    draft.started_at = draft.started_at or at
    draft.save()
    return draft


def _clean_content(
    assignment: ReviewerAssignment, part: str, content: Mapping[str, Any]
) -> dict[str, str]:
    """Check the fields of a part and normalize characters pasted from word processors."""
    if part == checks.SUMMARY:
        field_names: tuple[str, ...] = ("summary", "party_term")
    else:
        prefix, _, pk = part.partition("-")
        # Compared as text: the part comes from the address, where "item-x" is possible.
        is_own_item = pk in {
            str(one) for one in assignment.opinions.values_list("item_id", flat=True)
        }
        refuse_if("" if prefix == "item" and is_own_item else "This item is not part of your case.")
        field_names = _ITEM_FIELDS
    clean: dict[str, str] = {}
    for name in field_names:
        # A page without this field must not empty what is stored.
        if name not in content:
            continue
        text, _ = normalize_text(str(content[name]))
        refuse_if(
            ""
            if len(text) <= LONGEST_TEXT
            else f"This text has {len(text):,} characters. Shorten it to {LONGEST_TEXT:,}."
        )
        clean[name] = text
    # Empty choices are allowed in a draft; the checks before submission ask for them.
    if clean.get("outcome") not in {None, "", *Outcome.values}:
        refuse_if(f"Choose {CHOICE}.")
    if clean.get("basis") not in {None, "", *EvidenceRank.values}:
        refuse_if("Choose a rank of evidence from A to F.")
    if clean.get("party_term") not in {None, *PartyTerm.values}:
        refuse_if("Choose the letter’s term for the injured worker.")
    return clean


def _save_part_versions(
    assignment: ReviewerAssignment,
    parts: list[str],
    *,
    by: User,
    at: datetime,
    why: str,
) -> None:
    for draft in Draft.objects.filter(
        assignment=assignment, part__in=parts, started_at__isnull=False
    ):
        _save_draft_version(draft, by=by, at=at, why=why)


def _save_draft_version(draft: Draft, *, by: User, at: datetime, why: str) -> None:
    """Save a draft as a version, if it changes anything."""
    target: Review | Opinion
    if draft.part == checks.SUMMARY:
        target = Review.objects.get(assignment=draft.assignment_id)
    else:
        item_id = int(draft.part.removeprefix("item-"))
        target = Opinion.objects.get(assignment=draft.assignment_id, item_id=item_id)
    changed = [name for name, text in draft.content.items() if getattr(target, name) != text]
    if changed:
        for name in changed:
            setattr(target, name, draft.content[name])
        target.store(by=by, at=at, why=why, fields=changed)
    # The next save starts a new editing span.
    draft.started_at = None
    draft.save(update_fields=["started_at"])


def _cite_recommendation(citation: OpinionCitation, recommendation: Recommendation) -> None:
    edition = recommendation.edition
    guideline = edition.guideline
    # Copied, not only linked: the letter keeps this text if the guideline is corrected later.
    citation.recommendation = recommendation
    citation.source = guideline.source.name
    citation.mtus = guideline.source.is_mtus
    citation.chapter_topic = guideline.title
    citation.edition = edition.label
    citation.sections = [recommendation.section]
    citation.pages = recommendation.pages
    if not citation.mtus:
        citation.as_printed = (
            f"{guideline.source.name}, {guideline.title}, {recommendation.section}"
        )


def _describe_unprintable(text: str) -> str:
    characters = find_unprintable(text)
    if not characters:
        return ""
    names = ", ".join(sorted({glyph.name for glyph in characters}))
    return f"The letter cannot print {names}. Replace it with words or a plain character."


def _build_review_draft(assignment: ReviewerAssignment) -> checks.ReviewDraft:
    # Drafts replace the stored text, so that the page warns about what the reviewer sees now.
    drafts = {part: draft.content for part, draft in map_drafts(assignment).items()}
    review = policies.find_review(assignment)
    summary = drafts.get(checks.SUMMARY, {}).get("summary", review.summary if review else "")
    glyphs = [(checks.SUMMARY, sentence)] if (sentence := _describe_unprintable(summary)) else []
    written = {checks.SUMMARY: [summary]}
    items = []
    for opinion in list_opinions(assignment):
        if opinion.item.ending != DisputedItem.Ending.PENDING:
            continue
        typed = drafts.get(f"item-{opinion.item_id}", {})
        now = {name: typed.get(name, getattr(opinion, name)) for name in _ITEM_FIELDS}
        items.append(
            checks.ItemDraft(
                id=opinion.item_id,
                position=opinion.item.position,
                title=opinion.item.title,
                citations=sum(1 for one in opinion.citations.all() if one.removed_at is None),
                parent_id=opinion.item.parent_id,
                requested_on=find_request_date(opinion.item),
                **now,
            )
        )
        # Citations are printed too, so they are searched for the reviewer's own name as well.
        written[f"item-{opinion.item_id}"] = [
            now["rationale"],
            *(one.as_printed for one in opinion.citations.all() if one.removed_at is None),
        ]
        # Typed citations are not checked here: ``add_citation`` has checked them.
        for text in (now["rationale"], now["why_not_higher"]):
            if sentence := _describe_unprintable(text):
                glyphs.append(
                    (
                        f"item-{opinion.item_id}",
                        f"Item {opinion.item.position}: {sentence}",
                    )
                )
    return checks.ReviewDraft(
        summary=summary,
        items=items,
        unopened_documents=[
            document.title
            for document in records.services.reading.list_unopened_documents(assignment)
        ],
        dispatch_is_current=records.services.dispatch.is_dispatch_current(assignment),
        lacking_glyphs=glyphs,
        naming_parts=[
            part for part, texts in written.items() if _has_reviewer_name(assignment, texts)
        ],
        rule_texts=rows_of(assignment.case).once(("rule texts",), list_rule_texts),
    )


def _has_reviewer_name(assignment: ReviewerAssignment, texts: Iterable[str]) -> bool:
    """Return whether a text has the reviewer's first and last name side by side, in any order."""
    reviewer = assignment.reviewer
    if reviewer is None:
        return False
    first, last = fold_name(reviewer.first_name), fold_name(reviewer.last_name)
    # Spaces around the text, so that a name is found only as whole words.
    # One name alone is not searched: "Young" or "Brown" would be found in ordinary sentences.
    folded = [f" {fold_name(text)} " for text in texts]
    return any(
        f" {name} " in text for name in (f"{first} {last}", f"{last} {first}") for text in folded
    )
