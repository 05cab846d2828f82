"""Import published decisions as closed cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.refusals import Refused
from cases.lifecycle import NEXT_ROLE, QUEUE_OF, Status, is_open
from cases.models import AdministratorCitation, Case, DisputedItem, Event, Origin, URDecision
from deadlines.calendars import format_day
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


@dataclass(frozen=True)
class LoadResult:
    """The result for the facts of one letter.

    :ivar case: the stored case, or ``None`` if the facts are refused.
    :ivar refusal: why they are refused, or that the case is on file already.
    :ivar notes: statements about the publication, which are not stored.
    """

    case: Case | None
    refusal: Refused | None = None
    notes: tuple[str, ...] = ()


def load_published(
    *, facts: dict[str, Any], by: User | None, at: datetime, dry_run: bool = False
) -> Case:
    """Create a closed case from the facts of one published letter, in one transaction.

    As ``load_many_published``, for one letter.

    :raises shapes.InvalidFactsFile: the file is invalid; names the place and the reason.
    :raises AlreadyLoaded: the case is on file with these facts.
    :raises NumberTaken: the number belongs to a case with other facts, or to one of our own.
    """
    (result,) = load_many_published(letters=[facts], by=by, at=at, dry_run=dry_run)
    if result.refusal is not None:
        raise result.refusal
    assert result.case is not None  # noqa: S101 - stored if not refused
    return result.case


def load_many_published(
    *, letters: Sequence[dict[str, Any]], by: User | None, at: datetime, dry_run: bool = False
) -> list[LoadResult]:
    """Create closed cases from the facts of published letters, in one transaction.

    Facts that a letter does not state stay empty: there is no application, no notice and no
    reviewer by name. Every outcome is stored as printed and not derived from opinions. A letter
    that is refused stops no other. All rows of one table are inserted by one statement, and copied
    into their history by another.

    :param letters: parsed files in the format of ``determinations.shapes``. Some hundred at a time;
        all their rows are in memory at once.
    :param dry_run: check and store everything, then roll back.
    :returns: a result for each letter, in the same order.
    """
    results: list[LoadResult | None] = [None] * len(letters)
    # Before the transaction: an invalid file must not open one.
    fresh: dict[int, shapes.PublishedCase] = {}
    notes: dict[int, tuple[str, ...]] = {}
    for place, facts in enumerate(letters):
        try:
            fresh[place], found = shapes.read_published_case(facts, today=local_day(at))
        except shapes.InvalidFactsFile as error:
            results[place] = LoadResult(None, error)
        else:
            notes[place] = tuple(found)
    with transaction.atomic():
        for place, refusal in _find_known_cases(fresh).items():
            del fresh[place]
            results[place] = LoadResult(None, refusal)
        for place, stored in _store_cases(fresh, by=by, at=at).items():
            results[place] = replace(stored, notes=notes[place])
        if dry_run:
            transaction.set_rollback(True)
    return [result for result in results if result is not None]


def _find_known_cases(fresh: Mapping[int, shapes.PublishedCase]) -> dict[int, Refused]:
    """Find the letters whose case is on file, or stands in an earlier letter, with the refusal.

    One query, and the facts of each case that is on file.
    """
    refusals: dict[int, Refused] = {}
    on_file = Case.objects.filter(number__in={one.number for one in fresh.values()})
    stored_cases = {case.number: case for case in on_file}
    first_letters: dict[str, shapes.PublishedCase] = {}
    for place, published in fresh.items():
        number = published.number
        if number in stored_cases:
            refusals[place] = _compare_with_stored(stored_cases[number], published)
        elif number in first_letters:
            refusals[place] = _compare_facts(
                Case(number=number), shapes.build_facts(first_letters[number]), published
            )
        else:
            first_letters[number] = published
    return refusals


def _compare_with_stored(stored_case: Case, published: shapes.PublishedCase) -> Refused:
    # A published letter must never be mixed with a case that this organization decided.
    if stored_case.origin != Origin.PUBLISHED:
        return NumberTaken(
            f"Case {stored_case.number} is one of our own cases, not a published one."
        )
    # The stored rows are compared as the file would state them, so notes do not count.
    return _compare_facts(stored_case, export_case_facts(stored_case), published)


def _compare_facts(
    case: Case, stored_facts: dict[str, Any], published: shapes.PublishedCase
) -> Refused:
    difference = shapes.describe_difference(stored_facts, shapes.build_facts(published))
    if not difference:
        return AlreadyLoaded(case)
    return NumberTaken(
        f"Case {case.number} is already loaded with other facts: {difference}. "
        "A loaded case is never overwritten."
    )


def _store_cases(
    fresh: Mapping[int, shapes.PublishedCase], *, by: User | None, at: datetime
) -> dict[int, LoadResult]:
    """Store all cases at once or, if someone stores one of them meanwhile, one by one."""
    if not fresh:
        return {}
    try:
        # A nested transaction, so that the outer one can still be used after the error.
        with transaction.atomic():
            cases = _store_rows(list(fresh.values()), by=by, at=at)
    except IntegrityError as error:
        if len(fresh) > 1:
            return {
                place: result
                for place, one in fresh.items()
                for result in _store_cases({place: one}, by=by, at=at).values()
            }
        ((place, published),) = fresh.items()
        refusal = NumberTaken(
            f"Another user has just stored case {published.number}. Load the file again to compare."
        )
        refusal.__cause__ = error
        return {place: LoadResult(None, refusal)}
    return {place: LoadResult(case) for place, case in zip(fresh, cases, strict=True)}


def _store_rows(
    batch: Sequence[shapes.PublishedCase], *, by: User | None, at: datetime
) -> list[Case]:
    """Store every row of some cases, table by table."""
    store = partial(_store_versioned, by=by, at=at)
    ur_decisions = {
        # The letter prints only the date: no type, no claim number, no method of service.
        one.number: URDecision(decided_on=one.ur_decided_on, ur_type="")
        for one in batch
        if one.ur_decided_on
    }
    store(URDecision, ur_decisions.values())
    cases = store(Case, [_build_case(one, ur_decisions.get(one.number)) for one in batch])
    items = [
        (case, item, _build_item(case, item))
        for case, one in zip(cases, batch, strict=True)
        for item in one.items
    ]
    store(DisputedItem, [row for _, _, row in items])
    store(
        AdministratorCitation,
        [
            AdministratorCitation(item=row, **fields)
            for _, item, row in items
            for fields in _citation_fields(item.administrator)
        ],
    )
    _store_decisions(batch, cases, items, store)
    Event.objects.bulk_create(
        [
            Event(
                case=case,
                kind=Event.Kind.LOADED,
                happened_at=at,
                by=by,
                sentence=f"Loaded from a published letter of {format_day(one.decided_on)} with "
                f"{len(one.items)} decided item{'' if len(one.items) == 1 else 's'}.",
                facts={"outcome": one.outcome, "items": len(one.items)},
            )
            for case, one in zip(cases, batch, strict=True)
        ]
    )
    return cases


def _store_versioned(
    model: Any, rows: Iterable[Any], *, by: User | None, at: datetime
) -> list[Any]:
    """Store new rows of one table with their first versions, and return them."""
    stored = list(rows)
    model.objects.bulk_store(stored, by=by, at=at, why=LOAD_REASON)
    return stored


def _build_case(published: shapes.PublishedCase, ur_decision: URDecision | None) -> Case:
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
        injury_last_day=published.injured_until,
        sex=published.sex.upper(),
        age_stated=published.age,
        body_parts=list(published.body_parts),
        ur_decision=ur_decision,
    )


def _build_item(case: Case, item: shapes.PublishedItem) -> DisputedItem:
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
    return row


def _store_decisions(
    batch: Sequence[shapes.PublishedCase],
    cases: Sequence[Case],
    items: Sequence[tuple[Case, shapes.PublishedItem, DisputedItem]],
    store: Callable[..., list[Any]],
) -> None:
    """Store the reviews, opinions and determinations of some cases."""
    assignments = store(
        ReviewerAssignment,
        [
            ReviewerAssignment(
                case=case,
                round=1,
                origin=Origin.PUBLISHED,
                state=ReviewerAssignment.State.FINISHED,
            )
            for case in cases
        ],
    )
    assignment_of = {one.case_id: one for one in assignments}
    store(
        Review,
        [
            Review(
                assignment=assignment,
                origin=Origin.PUBLISHED,
                state=Review.State.FINISHED,
                # The text of the review is not among the facts, so the summary stays empty.
                party_term=one.party_term,
            )
            for assignment, one in zip(assignments, batch, strict=True)
        ],
    )
    _store_opinions(items, assignment_of, store)
    determinations = store(
        Determination,
        [
            Determination(
                case=case,
                round=1,
                origin=Origin.PUBLISHED,
                state=Determination.State.ISSUED,
                outcome=one.outcome,
                decided_on=one.decided_on,
            )
            for case, one in zip(cases, batch, strict=True)
        ],
    )
    determination_of = {one.case_id: one for one in determinations}
    store(
        DecidedItem,
        [
            DecidedItem(
                determination=determination_of[case.pk],
                item=row,
                outcome=row.outcome,
                # Not derived: the votes of the reviewers are not published.
                how=DecidedItem.Derivation.AS_PRINTED,
            )
            for case, _, row in items
        ],
    )
    store(
        CredentialStatement,
        [
            CredentialStatement(
                determination=determination,
                label=one.statement.label,
                specialties=list(one.statement.specialties),
                license_states=list(one.statement.states),
                separator=one.statement.separator,
                placement=one.statement.placement,
            )
            for determination, one in zip(determinations, batch, strict=True)
        ],
    )


def _store_opinions(
    items: Sequence[tuple[Case, shapes.PublishedItem, DisputedItem]],
    assignment_of: Mapping[int, ReviewerAssignment],
    store: Callable[..., list[Any]],
) -> None:
    """Store the opinion on each item, with its citations."""
    opinions = store(
        Opinion,
        [
            Opinion(
                assignment=assignment_of[case.pk],
                item=row,
                outcome=row.outcome,
                notices=[OPIOID_NOTICE] if item.opioid_notice else [],
            )
            for case, item, row in items
        ],
    )
    store(
        OpinionCitation,
        [
            OpinionCitation(opinion=opinion, **fields)
            for opinion, (_, item, _) in zip(opinions, items, strict=True)
            for fields in _citation_fields(item.imro)
        ],
    )


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
