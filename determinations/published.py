"""Export a decided case in the format of published decisions."""

from collections.abc import Iterable
from typing import Any

from accounts.refusals import Refused
from cases.models import AdministratorCitation, Case, DisputedItem, Priority
from guidelines.models import CitationFields
from reviewers.models import ReviewerAssignment

from .models import Determination, Opinion, Review
from .shapes import Citation, Lineage, PublishedCase, PublishedItem, Statement, build_facts

OPIOID_NOTICE = "opioid-taper"

# What letters print, and the value that is stored.
PRIORITIES = {
    "Standard": Priority.REGULAR,
    "Expedited": Priority.EXPEDITED,
    "Formulary": Priority.FORMULARY,
}
PATTERNS = {
    "remaining_portion": DisputedItem.Lineage.REMAINING,
    "whole_original_still_in_dispute": DisputedItem.Lineage.WHOLE,
}
_PRINTED_PRIORITY = {stored.value: printed for printed, stored in PRIORITIES.items()}
_PRINTED_PATTERN = {stored.value: printed for printed, stored in PATTERNS.items()}


class NotExportable(Refused):
    """The case does not fit the format of published decisions. The message says why."""


def export_case_facts(case: Case) -> dict[str, Any]:
    """Return the facts of a decided case in the format of published decisions.

    It uses the latest issued determination: after a remand, the second one. Items that ended
    without a decision are left out, as in published letters.

    :raises NotExportable: nothing is issued yet, or the format cannot express the decision.
    """
    return build_facts(read_decided_case(case))


def read_decided_case(case: Case) -> PublishedCase:
    """Read the facts of a decided case from its rows.

    :raises NotExportable: as ``export_case_facts``.
    """
    determination = (
        # The latest round: a determination that was set aside no longer states the outcome.
        case.determinations.filter(state=Determination.State.ISSUED).order_by("-round").first()
    )
    if determination is None or determination.decided_on is None:
        raise NotExportable(f"Case {case.number} has no issued determination yet.")
    assignments = list(
        case.assignments.filter(
            round=determination.round,
            state__in=[ReviewerAssignment.State.ACCEPTED, ReviewerAssignment.State.FINISHED],
        )
    )
    if len(assignments) != 1:
        raise NotExportable(
            f"Case {case.number} was decided by {len(assignments)} reviewers; "
            "the format of published letters allows one."
        )
    (assignment,) = assignments
    decided_items = list(
        determination.decided_items.filter(item__ending=DisputedItem.Ending.DECIDED)
        .select_related("item__case")
        .prefetch_related("item__administrator_citations")
        .order_by("item__position", "pk")
    )
    for decided in decided_items:
        # Leaving these items out would export an outcome that the letter does not have.
        if decided.item.case_id != case.pk:
            raise NotExportable(
                f"The determination also decides case {decided.item.case}, consolidated into "
                f"case {case.number}; the format of published letters allows one case."
            )
    review = Review.objects.filter(assignment=assignment).first()
    opinions = {
        opinion.item_id: opinion for opinion in assignment.opinions.prefetch_related("citations")
    }
    statement = determination.credential_statements.filter(seat=assignment.seat).first()
    return PublishedCase(
        number=case.number,
        priority=_PRINTED_PRIORITY[case.priority],
        injured_on=case.date_of_injury,
        injured_until=case.injury_last_day,
        ur_decided_on=case.ur_decision.decided_on if case.ur_decision else None,
        received_on=case.received_on,
        assigned_on=case.assigned_on,
        decided_on=determination.decided_on,
        statement=Statement(
            specialties=tuple(statement.specialties),
            states=tuple(statement.license_states),
            separator=statement.separator,
            label=statement.label,
            placement=statement.placement,
        )
        if statement
        else Statement(),
        age=case.age_stated,
        sex=case.sex.lower(),
        body_parts=tuple(case.body_parts),
        party_term=review.party_term if review else "",
        items=tuple(
            _read_item(decided.item, decided.get_outcome_display(), opinions.get(decided.item_id))
            for decided in decided_items
        ),
    )


def _read_item(item: DisputedItem, outcome: str, opinion: Opinion | None) -> PublishedItem:
    notices = set(opinion.notices) if opinion else set()
    if notices - {OPIOID_NOTICE}:
        raise NotExportable(
            f"{item} has a notice that the format of published letters does not allow: "
            f"{', '.join(sorted(notices - {OPIOID_NOTICE}))}."
        )
    lineage = None
    if item.lineage:
        lineage = Lineage(
            pattern=_PRINTED_PATTERN[item.lineage],
            original_request=item.original_request,
            authorized_by_ur=item.authorized_by_ur,
            in_dispute=item.in_dispute,
        )
    cited = [one for one in opinion.citations.all() if one.removed_at is None] if opinion else []
    return PublishedItem(
        position=item.position,
        title=item.title,
        # Both or neither, as the reader of the format requires.
        full_length=item.title_full_length if item.title_truncated else None,
        outcome=outcome,
        separator=item.separator,
        prefix=item.prefix,
        lineage=lineage,
        quantities=tuple(item.quantity_expressions),
        opioid_notice=OPIOID_NOTICE in notices,
        administrator=_read_citations(item.administrator_citations.all()),
        imro=_read_citations(cited),
    )


def _read_citations(rows: Iterable[AdministratorCitation | CitationFields]) -> tuple[Citation, ...]:
    return tuple(
        Citation(
            source=row.source,
            mtus=row.mtus,
            chapter=row.chapter_topic,
            edition=row.edition,
            edition_suffix=row.edition_suffix,
            sections=tuple(row.sections),
            pages=row.pages,
            as_printed=row.as_printed,
            note=row.note,
        )
        # Sorted here and not by the database, which would discard the prefetched rows.
        for row in sorted(rows, key=lambda row: row.position)
    )
