"""Splits items with a liability dispute into a deferred case of their own, and merges them back.

A dispute about one body part must not delay the other treatments of an application. Both cases are
of one application and have its dates; each has its own parties, letters and history
(8 CCR 9792.10.3(d)).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.refusals import BadFact, NotAllowed, refuse_if
from cases import policies
from cases.item_liability import is_liability_disputed
from cases.lifecycle import Status
from cases.models import (
    Case,
    CaseLetter,
    CaseLink,
    DisputedItem,
    Event,
    Party,
    ReceivedDocument,
)
from cases.services import (
    case_deadlines,
    case_numbers,
    drafting,
    duplicates,
    endings,
    own_conflicts,
    received_documents,
    restrictions,
)
from cases.services.received_documents import DocumentOfAction
from deadlines.calendars import format_day
from eligibility import rules
from eligibility.answers import Answer, EligibilityFact, EligibilityResult
from eligibility.models import DifferenceAnswer, EligibilityDecision, EligibilityFinding, URReading

# What the application says, and not one of its cases.
_OF_APPLICATION = (
    "origin",
    "priority",
    "received_at",
    "received_on",
    "date_of_injury",
    "injury_last_day",
    "date_of_injury_printed",
    "claim_number",
    "claim_number_normal",
    "eams_number",
    "wcis_number",
    "diagnosis",
    "sex",
    "age_stated",
    "body_parts",
    "application_id",
    "ur_decision_id",
)
_OWN_OF_ROW = {"id", "version", "case"}
_OWN_OF_ITEM = _OWN_OF_ROW | {"parent", "split_from", "ending", "outcome"}
_OWN_OF_PARTY = {"id", "case", "item", "corrects", "withdrawn", "recorded_at", "recorded_by"}


@transaction.atomic
def split_case(
    *,
    case_id: int,
    item_ids: Collection[int],
    reason: str,
    document: DocumentOfAction | None = None,
    by: User,
    at: datetime,
) -> Case:
    """Split items whose liability is disputed into a case of their own, which is deferred.

    The other items continue: liability is not disputed for them. The items stay on the list of
    their first case as moved. The notice of deferral is drafted, and a corrected list of treatments
    if the notices of the first case are made already.

    :param reason: why liability is disputed, as the claims administrator states it; it is printed.
    :param document: the objection of the claims administrator, if it is on file.
    :returns: the new case.
    :raises NotAllowed: wrong role or state, no reason, an item that ended or that has a change
        waiting, or no item would stay.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_split(by, case))
    if refusal := policies.why_not_split_items(case, item_ids):
        raise BadFact("items", refusal)
    refuse_if("" if reason.strip() else "Enter why liability is disputed.")
    reason = reason.strip()[:500]
    pending = list(case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"))
    disputed = [item for item in pending if item.pk in set(item_ids)]
    stated = _state_undisputed(case, [item for item in pending if item not in disputed], by, at)
    new = _open_case(case, by=by, at=at)
    moved = _move_items(disputed, new, reason, by=by, at=at)
    _copy_parties(case, new, moved, by=by, at=at)
    _copy_reading(case, new, by=by, at=at)
    CaseLink(kind=CaseLink.Kind.SPLIT, case=new, other=case, reason=reason).store(
        by=by, at=at, why=reason
    )
    restrictions.spread_restriction(case=new, other=case, by=by, at=at)
    own_conflicts.check_own_conflicts(case=new, by=by, at=at)
    facts = duplicates.read_application_facts(new)
    duplicates.store_keys_of_new_cases(cases=[new], facts=[facts], by=by, at=at)
    # A new version, so that pages that were opened before the split are refused.
    case.store(by=by, at=at, why=f"Split into {new.number}", fields=[])
    named = _name_items(disputed)
    event = Event.objects.create(
        case=case,
        kind=Event.Kind.SPLIT,
        happened_at=at,
        by=by,
        sentence=f"{named} split into {new.number}, which is deferred: liability is disputed.",
        why=reason,
        facts={
            "split_into": new.number,
            "items": [item.pk for item in disputed],
            "stated": stated,
        },
    )
    drafting.propose_letter(event=event, by=by, at=at)
    _defer(new, case, named, reason, event, document, by=by, at=at)
    return new


@transaction.atomic
def merge_split_case(*, case_id: int, reason: str, by: User, at: datetime) -> Case:
    """Undo a wrong split: return the items to the case they came from, and close this one.

    The draft letters that the split proposed are discarded.

    :returns: the case that the items return to.
    :raises NotAllowed: wrong role or state, no reason, not split, or something else has happened
        in one of the two cases since.
    """
    original_id = Case.objects.values_list("split_from", flat=True).get(pk=case_id)
    # Both, before any check: something may happen in either while this waits for the lock.
    locked = Case.objects.lock_all({case_id, original_id or case_id})
    case = locked[case_id]
    refuse_if(policies.why_not_merge_back(by, case))
    refuse_if("" if reason.strip() else "Enter why the split was wrong.")
    original = locked[original_id] if original_id else None
    written = policies.find_split_event(original, case) if original else None
    if original is None or written is None:
        raise NotAllowed(f"Case {case.number} was not split from another case.")
    reason = reason.strip()[:300]
    returned = []
    pending = case.items.filter(ending=DisputedItem.Ending.PENDING, split_from__isnull=False)
    for item in pending.select_related("split_from").order_by("position"):
        endings.end_item(item=item, ending=DisputedItem.Ending.MOVED, reason=reason, by=by, at=at)
        first = item.split_from
        assert first is not None  # noqa: S101 - the query asks for it
        first.ending, first.ended_at, first.ended_because = DisputedItem.Ending.PENDING, None, ""
        first.store(by=by, at=at, why=reason, fields=["ending", "ended_at", "ended_because"])
        returned.append(first)
    _restore_statements(original, written, reason, by=by, at=at)
    for link in case.links.filter(kind=CaseLink.Kind.SPLIT, other=original, ended_at=None):
        link.ended_at = at
        link.store(by=by, at=at, why=reason, fields=["ended_at"])
    case.move_to(Status.CLOSED, by=by, at=at, why=reason)
    case_deadlines.stop_deadlines(case=case, why="Merged back", by=by, at=at)
    original.store(by=by, at=at, why=f"{case.number} merged back", fields=[])
    _discard_drafts([case, original], written.happened_at, by=by, at=at)
    named = _name_items(returned)
    for one, sentence in (
        (original, f"{named} merged back from {case.number}, which is closed."),
        (case, f"{named} merged back into {original.number}. Closed."),
    ):
        Event.objects.create(
            case=one,
            kind=Event.Kind.MERGED_BACK,
            happened_at=at,
            by=by,
            sentence=sentence,
            why=reason,
            facts={"other": (case if one is original else original).number},
        )
    return original


def _open_case(case: Case, *, by: User, at: datetime) -> Case:
    """Store the new case, received when its application was."""
    (number,) = case_numbers.take_case_numbers(many=1, at=at)
    values = {name: getattr(case, name) for name in _OF_APPLICATION}
    return Case(
        **values,
        number=number,
        split_from=case,
        # Set again when the case moves to screening, in the same transaction.
        next_role="INTAKE",
        due_on=case.received_on or case.due_on,
        party_list_version=1,
    ).store(by=by, at=at, why=f"Split from {case.number}")


def _move_items(
    disputed: Sequence[DisputedItem], new: Case, reason: str, *, by: User, at: datetime
) -> dict[int, DisputedItem]:
    """Continue items in the new case under their numbers; return the new rows by the old ids."""
    moved: dict[int, DisputedItem] = {}
    for item in disputed:
        values = _copy_columns(item, _OWN_OF_ITEM) | {
            "ended_at": None,
            "ended_because": "",
            "liability_disputed": True,
            "liability_reason": reason,
            "liability_resolved_on": None,
            "liability_notice_method": "",
        }
        # A surgery that stays in the first case is not decided here.
        parent = moved.get(item.parent_id) if item.parent_id else None
        continued = DisputedItem(**values, case=new, split_from=item, parent=parent)
        moved[item.pk] = continued.store(by=by, at=at, why=reason)
        for citation in item.administrator_citations.filter(removed_at=None).order_by("position"):
            row = type(citation)(**_copy_columns(citation, {"id", "version", "item"}))
            row.item = continued
            row.store(by=by, at=at, why=reason)
        endings.end_item(item=item, ending=DisputedItem.Ending.MOVED, reason=reason, by=by, at=at)
    return moved


def _copy_parties(
    case: Case, new: Case, moved: dict[int, DisputedItem], *, by: User, at: datetime
) -> None:
    """Give the new case the parties on file, former ones too, but not those of other items."""
    rows = [
        Party(
            **_copy_columns(party, _OWN_OF_PARTY) | {"list_version": new.party_list_version},
            case=new,
            item=moved[party.item_id] if party.item_id else None,
            recorded_at=at,
            recorded_by=by,
        )
        for party in case.parties.current().order_by("pk")
        if party.item_id is None or party.item_id in moved
    ]
    Party.objects.bulk_create(rows)


def _copy_reading(case: Case, new: Case, *, by: User, at: datetime) -> None:
    """Give the new case what was read in the UR decision, and how differences were answered."""
    rows: list[Any] = [
        *URReading.objects.filter(case=case),
        *DifferenceAnswer.objects.filter(case=case).order_by("pk"),
    ]
    for row in rows:
        copied = type(row)(**_copy_columns(row, _OWN_OF_ROW), case=new)
        copied.store(by=by, at=at, why=f"Split from {case.number}")


def _copy_columns(row: Any, left_out: Collection[str]) -> dict[str, Any]:
    """Return the values of a row by column, so that related rows are not loaded."""
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in left_out
    }


def _state_undisputed(
    case: Case, remaining: Sequence[DisputedItem], by: User, at: datetime
) -> list[list[Any]]:
    """State that liability is not disputed for the remaining items; return what was stated before.

    A deferred case stays deferred, so its remaining items keep what is on file.
    """
    before: list[list[Any]] = []
    if case.stage == Status.DEFERRED:
        return before
    for item in remaining:
        is_open = item.liability_resolved_on is None
        if is_open and is_liability_disputed(item, case.ur_decision) is not False:
            before.append([item.pk, item.liability_disputed])
            item.liability_disputed = False
            why = "Liability is disputed for other items"
            item.store(by=by, at=at, why=why, fields=["liability_disputed"])
    return before


def _restore_statements(
    original: Case, written: Event, reason: str, *, by: User, at: datetime
) -> None:
    """Take back that liability is not disputed for the items that stayed."""
    items = original.items.in_bulk([pk for pk, _ in written.facts["stated"]])
    for pk, stated in written.facts["stated"]:
        items[pk].liability_disputed = stated
        items[pk].store(by=by, at=at, why=reason, fields=["liability_disputed"])


def _defer(
    new: Case,
    case: Case,
    named: str,
    reason: str,
    cause: Event,
    document: DocumentOfAction | None,
    *,
    by: User,
    at: datetime,
) -> None:
    """Defer the new case by an eligibility decision about liability, and draft its notice."""
    new.move_to(Status.SCREENING, by=by, at=at)
    received_on = new.received_on or case.due_on
    case_deadlines.start_deadline(
        case=new,
        deadline_kind=case_deadlines.SCREENING,
        given={"received": received_on.isoformat()},
        by=by,
        at=at,
    )
    sentence = rules.weigh_answers(
        dict.fromkeys(rules.FACTS, rules.YES) | {"LIABILITY_CLEAR": rules.NO}
    ).sentence
    decision = EligibilityDecision(
        case=new,
        attempt=1,
        result=EligibilityResult.DEFERRED,
        decided_at=at,
        decided_by=by,
        note=sentence,
    ).store(by=by, at=at)
    # Only this fact: the others are decided when the dispute is resolved.
    EligibilityFinding(
        decision=decision,
        fact=EligibilityFact.LIABILITY_CLEAR,
        answer=Answer.NO,
        reason_code="I-LIAB",
        source="8 CCR 9792.10.3(d)",
        sentence=f"{named} split from {case.number}: liability is disputed.",
        letter_sentence=rules.LETTER_SENTENCES["I-LIAB"],
        note=reason,
    ).store(by=by, at=at)
    new.move_to(Status.DEFERRED, by=by, at=at, why=sentence)
    case_deadlines.satisfy_deadline(case=new, deadline_kind=case_deadlines.SCREENING, by=by, at=at)
    case_deadlines.stop_deadlines(case=new, why=sentence, by=by, at=at)
    opened = Event.objects.create(
        case=new,
        kind=Event.Kind.SPLIT,
        happened_at=at,
        by=by,
        sentence=f"Split from {case.number}: {named[0].lower()}{named[1:]}. "
        f"The application was received {format_day(received_on)}.",
        why=reason,
        facts={"split_from": case.number},
        caused_by=cause,
    )
    received_documents.attach_document(
        case=new,
        document=document,
        kind=ReceivedDocument.Kind.OBJECTION,
        event=opened,
        by=by,
        at=at,
    )
    # The last event of the split: what follows it counts as something else.
    deferred = Event.objects.create(
        case=new,
        kind=Event.Kind.DEFERRED,
        happened_at=at,
        by=by,
        sentence=sentence,
        why=reason,
        facts={"split_into": new.number, "reasons": ["I-LIAB"]},
        caused_by=opened,
    )
    drafting.propose_letter(event=deferred, by=by, at=at)


def _discard_drafts(cases: Sequence[Case], split_at: datetime, *, by: User, at: datetime) -> None:
    """Discard the drafts that the split proposed. One that waited before is kept."""
    drafts = CaseLetter.objects.filter(
        case__in=cases,
        state=CaseLetter.State.DRAFT,
        drafted_at=split_at,
        caused_by__kind__in=[Event.Kind.SPLIT, Event.Kind.DEFERRED],
    )
    for draft in drafts.order_by("pk"):
        draft.state, draft.discarded_because = (
            CaseLetter.State.DISCARDED,
            CaseLetter.Discarded.OVERTAKEN,
        )
        draft.discarded_at, draft.discarded_by = at, by
        fields = ["state", "discarded_because", "discarded_at", "discarded_by"]
        draft.store(by=by, at=at, why="The split was undone", fields=fields)


def _name_items(items: Sequence[DisputedItem]) -> str:
    """Name items by their numbers, at the beginning of a sentence."""
    numbers = [str(item.position) for item in items]
    if len(numbers) == 1:
        return f"Item {numbers[0]}"
    return f"Items {', '.join(numbers[:-1])} and {numbers[-1]}"
