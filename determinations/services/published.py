"""Import a published decision as a closed case."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import Refused
from cases.lifecycle import NEXT_ROLE, QUEUE_OF, Status, is_open
from cases.models import AdministratorCitation, Case, DisputedItem, Event, Origin, URDecision
from deadlines.days import local_day
from determinations import shapes
from determinations.models import (
    CredentialStatement,
    DecidedItem,
    Determination,
    Opinion,
    OpinionCitation,
    Review,
)
from determinations.published import OPIOID_NOTICE, PATTERNS, PRIORITIES, export_case_facts
from letters.outcomes import Outcome
from reviewers.models import ReviewerAssignment

LOAD_REASON = "Loaded from a published letter"


class AlreadyLoaded(Refused):
    """The case is already on file with the same facts. Nothing was changed."""

    def __init__(self, case: Case) -> None:
        self.case = case
        super().__init__(f"Case {case.number} is already loaded, unchanged.")


class NumberTaken(Refused):
    """Another case has this number. The message says where the two differ."""


def load_published(
    *, facts: dict[str, Any], by: User | None, at: datetime, dry_run: bool = False
) -> Case:
    """Create a closed case from the facts of one published letter, in one transaction.

    Facts that the letter does not state stay empty: there is no application, no notice and no
    reviewer by name. Every outcome is stored as printed and not derived from opinions.

    :param facts: a parsed file in the format of ``determinations.shapes``.
    :param dry_run: check and store everything, then roll back.
    :raises shapes.InvalidFactsFile: the file is invalid; names the place and the reason.
    :raises AlreadyLoaded: the case is on file with these facts.
    :raises NumberTaken: the number belongs to a case with other facts, or to one of our own.
    """
    # Before the transaction: an invalid file must not open one.
    published, _ = shapes.read_published_case(facts, today=local_day(at))
    with transaction.atomic():
        _refuse_known_case(published)
        try:
            # A nested transaction, so that the outer one can still be used after the error.
            with transaction.atomic():
                case = _store_case(published, by=by, at=at)
        except IntegrityError as error:
            raise NumberTaken(
                f"Another user has just stored case {published.number}. "
                "Load the file again to compare."
            ) from error
        items = _store_items(case, published, by=by, at=at)
        _store_decision(case, published, items, by=by, at=at)
        count = len(items)
        Event.objects.create(
            case=case,
            kind=Event.Kind.LOADED,
            happened_at=at,
            by=by,
            sentence=f"Loaded from a published letter of {published.decided_on:%m/%d/%Y} with "
            f"{count} decided item{'' if count == 1 else 's'}.",
            facts={"outcome": published.outcome, "items": count},
        )
        if dry_run:
            transaction.set_rollback(True)
    return case


def _refuse_known_case(published: shapes.PublishedCase) -> None:
    known = Case.objects.filter(number=published.number).first()
    if known is None:
        return
    # A published letter must never be mixed with a case that this organization decided.
    if known.origin != Origin.PUBLISHED:
        raise NumberTaken(f"Case {known.number} is one of our own cases, not a published one.")
    # The stored rows are compared as the file would state them, so notes do not count.
    found = shapes.describe_difference(export_case_facts(known), shapes.build_facts(published))
    if not found:
        raise AlreadyLoaded(known)
    raise NumberTaken(
        f"Case {known.number} is already loaded with other facts: {found}. "
        "A loaded case is never overwritten."
    )


def _store_case(published: shapes.PublishedCase, *, by: User | None, at: datetime) -> Case:
    ur_decision = None
    if published.ur_decided_on:
        # The letter prints only the date: no type, no claim number, no method of service.
        ur_decision = URDecision(decided_on=published.ur_decided_on, ur_type="").store(
            by=by, at=at, why=LOAD_REASON
        )
    return Case(
        number=published.number,
        origin=Origin.PUBLISHED,
        # Stored directly: the lifecycle has no path for a case that was never worked on here.
        status=Status.CLOSED,
        is_open=is_open(Status.CLOSED),
        next_role=NEXT_ROLE[Status.CLOSED],
        queue=QUEUE_OF[Status.CLOSED],
        priority=PRIORITIES[published.priority],
        received_on=published.received_on,
        assigned_on=published.assigned_on,
        decided_on=published.decided_on,
        # The column may not be empty. A closed case is in no list of due dates.
        due_on=published.decided_on,
        date_of_injury=published.injured_on,
        sex=published.sex.upper(),
        age_stated=published.age,
        body_parts=list(published.body_parts),
        ur_decision=ur_decision,
    ).store(by=by, at=at, why=LOAD_REASON)


def _store_items(
    case: Case, published: shapes.PublishedCase, *, by: User | None, at: datetime
) -> list[DisputedItem]:
    rows = []
    for item in published.items:
        row = DisputedItem(
            case=case,
            position=item.position,
            title=item.title,
            # As printed. The rest of a cut title is not known and must not be guessed.
            title_truncated=item.full_length is not None,
            title_full_length=item.full_length,
            prefix=item.prefix,
            separator=item.separator,
            quantity_expressions=list(item.quantities),
            # The letter does state that the list is empty, which differs from "not entered yet".
            administrator_cites_nothing=not item.administrator,
            ending=DisputedItem.Ending.DECIDED,
            outcome=Outcome[item.outcome.upper()],
        )
        if item.lineage:
            row.lineage = PATTERNS[item.lineage.pattern]
            row.original_request = item.lineage.original_request
            row.authorized_by_ur = item.lineage.authorized_by_ur
            row.in_dispute = item.lineage.in_dispute
        rows.append(row)
    # In bulk, because one letter may list 200 items, each with citations.
    DisputedItem.objects.bulk_store(rows, by=by, at=at, why=LOAD_REASON)
    AdministratorCitation.objects.bulk_store(
        [
            AdministratorCitation(item=row, **fields)
            for row, item in zip(rows, published.items, strict=True)
            for fields in _citation_fields(item.administrator)
        ],
        by=by,
        at=at,
        why=LOAD_REASON,
    )
    return rows


def _store_decision(
    case: Case,
    published: shapes.PublishedCase,
    rows: Sequence[DisputedItem],
    *,
    by: User | None,
    at: datetime,
) -> None:
    assignment = ReviewerAssignment(
        case=case,
        round=1,
        origin=Origin.PUBLISHED,
        state=ReviewerAssignment.State.FINISHED,
    ).store(by=by, at=at, why=LOAD_REASON)
    Review(
        assignment=assignment,
        origin=Origin.PUBLISHED,
        state=Review.State.FINISHED,
        # The text of the review is not in the publication's facts, so the summary stays empty.
        party_term=published.party_term,
    ).store(by=by, at=at, why=LOAD_REASON)
    opinions = [
        Opinion(
            assignment=assignment,
            item=row,
            outcome=row.outcome,
            notices=[OPIOID_NOTICE] if item.opioid_notice else [],
        )
        for row, item in zip(rows, published.items, strict=True)
    ]
    Opinion.objects.bulk_store(opinions, by=by, at=at, why=LOAD_REASON)
    OpinionCitation.objects.bulk_store(
        [
            OpinionCitation(opinion=opinion, **fields)
            for opinion, item in zip(opinions, published.items, strict=True)
            for fields in _citation_fields(item.imro)
        ],
        by=by,
        at=at,
        why=LOAD_REASON,
    )
    determination = Determination(
        case=case,
        round=1,
        origin=Origin.PUBLISHED,
        state=Determination.State.ISSUED,
        outcome=published.outcome,
        decided_on=published.decided_on,
    ).store(by=by, at=at, why=LOAD_REASON)
    DecidedItem.objects.bulk_store(
        [
            DecidedItem(
                determination=determination,
                item=row,
                outcome=row.outcome,
                # Not derived: the votes of the reviewers are not published.
                how=DecidedItem.How.AS_PRINTED,
            )
            for row in rows
        ],
        by=by,
        at=at,
        why=LOAD_REASON,
    )
    CredentialStatement(
        determination=determination,
        label=published.statement.label,
        specialties=list(published.statement.specialties),
        license_states=list(published.statement.states),
        separator=published.statement.separator,
        placement=published.statement.placement,
    ).store(by=by, at=at, why=LOAD_REASON)


def _citation_fields(citations: Iterable[shapes.Citation]) -> Iterable[dict[str, Any]]:
    for position, citation in enumerate(citations, start=1):
        yield {
            "position": position,
            "source": citation.source,
            "mtus": citation.mtus,
            "chapter_topic": citation.chapter,
            "edition": citation.edition,
            "edition_suffix": citation.edition_suffix,
            "sections": list(citation.sections),
            "pages": citation.pages,
            "as_printed": citation.as_printed,
            "note": citation.note,
        }
