"""Stored fields that are derived from other rows, each with the comparison that proves it.

A test compares ``DERIVED`` with the fields of the models, so that a new derived field cannot be
forgotten.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import Max, Prefetch, QuerySet

from accounts.models import AccountEvent, User
from accounts.roles import Role
from cases.duplicates import build_duplicate_keys
from cases.lifecycle import NEXT_ROLE, QUEUE_OF, Status, is_open
from cases.models import (
    Case,
    CaseKey,
    Commitment,
    Deadline,
    DisputedItem,
    Hold,
    Origin,
    OwnConflictResult,
    Party,
    URDecision,
)
from cases.organization_facts import select_latest_findings
from cases.services.date_recalculation import find_date_changes
from cases.services.duplicates import read_application_facts
from deadlines.calendars import LAST_DAY
from determinations.models import DecidedItem, Determination, Opinion
from determinations.outcomes import NoOpinion, derive_case_outcome, derive_item_outcome
from directory.models import OrganizationName, PersonName
from directory.names import fold_for_search, fold_name, fold_number, fold_organization
from directory.services.people import LONGEST
from intake.services.receiving import fold_claim_number
from letters.documents import words_sha256
from letters.models import Letter
from reviewers.models import ReviewerAssignment

from .findings import Found, Tick

CODE = "derived_value"
_ROWS_AT_ONCE = 200


def _portions(rows: QuerySet[Any], tick: Tick) -> Iterator[list[Any]]:
    """Read rows by key, a portion at a time."""
    last: Any = None
    while True:
        portion = rows.order_by("pk")
        if last is not None:
            portion = portion.filter(pk__gt=last)
        found = list(portion[:_ROWS_AT_ONCE])
        if not found:
            return
        yield found
        last = found[-1].pk
        tick()


def _compare(row: Any, derived: dict[str, Any], case: Case | None = None) -> Iterator[Found]:
    """Yield a finding for each field whose stored value is another."""
    for name, value in derived.items():
        if getattr(row, name) != value:
            yield Found(
                code=CODE,
                table=row._meta.db_table,
                row=str(row.pk),
                column=name,
                reference=case.number if case else "",
                sentence=f"{row._meta.verbose_name.capitalize()}: the stored value of {name} "
                "differs from what the other rows say.",
                values={name: value},
                seen_version=getattr(row, "version", None),
                seen_case_version=case.version if case else None,
            )


def compare_stage_fields(tick: Tick) -> Iterator[Found]:
    """Compare what ``Case.move_to`` stores with the state of the case."""
    for cases in _portions(Case.objects.all(), tick):
        for case in cases:
            status = Status(case.status)
            derived = {
                "is_open": is_open(status),
                "next_role": NEXT_ROLE[status],
                "queue": QUEUE_OF[status],
            }
            yield from _compare(case, derived, case)


def compare_due_dates(tick: Tick) -> Iterator[Found]:
    """Compare the date by which lists sort with the deadline from which it comes."""
    for cases in _portions(Case.objects.own().open().exclude(due_deadline_kind=""), tick):
        dates: dict[int, list[Any]] = defaultdict(list)
        for row in Deadline.objects.filter(
            case__in=cases, replaced_at__isnull=True, due_on__isnull=False
        ):
            dates[row.case_id].append(row)
        for case in cases:
            leading = [
                row
                for row in dates[case.pk]
                if row.deadline_kind == case.due_deadline_kind and row.round == case.round
            ]
            if len(leading) == 1:
                derived = {"due_on": leading[0].due_on, "due_at": leading[0].due_at}
                yield from _compare(case, derived, case)
            elif not leading:
                yield Found(
                    code=CODE,
                    table=case._meta.db_table,
                    row=str(case.pk),
                    column="due_deadline_kind",
                    reference=case.number,
                    sentence="The case is sorted by a deadline that is not active.",
                )


def compare_list_order(tick: Tick) -> Iterator[Found]:
    """Compare the order in lists with the due date and the priority from which it comes."""
    for cases in _portions(Case.objects.all(), tick):
        for case in cases:
            yield from _compare(case, case.list_order(), case)


def compare_held_until(tick: Tick) -> Iterator[Found]:
    """Compare the end of the hold of a case with its holds."""
    holds = Prefetch("holds", Hold.objects.filter(deadline_kind=""))
    for cases in _portions(Case.objects.own().open().prefetch_related(holds), tick):
        for case in cases:
            ends = [hold.end for hold in case.holds.all() if hold.round == case.round]
            yield from _compare(case, {"held_until": max(ends, default=None)}, case)


def compare_folded_numbers(tick: Tick) -> Iterator[Found]:
    """Compare the numbers by which cases are searched with the numbers as printed."""
    for cases in _portions(Case.objects.own(), tick):
        for case in cases:
            derived = {"claim_number_normal": fold_claim_number(text=case.claim_number)}
            yield from _compare(case, derived, case)
    for decisions in _portions(URDecision.objects.all(), tick):
        for decision in decisions:
            yield from _compare(decision, {"reference_normal": fold_number(decision.reference)})


def compare_claims_of_decisions(tick: Tick) -> Iterator[Found]:
    """Compare the claim number of a UR decision with that of its open cases."""
    cases = Case.objects.own().filter(ur_decision__isnull=False).select_related("ur_decision")
    for portion in _portions(cases, tick):
        for case in portion:
            # A published or corrected decision may lack the number, which then matches nothing.
            if case.ur_decision.claim_number_normal:
                derived = {"claim_number_normal": case.claim_number_normal}
                yield from _compare(case.ur_decision, derived, case)


def compare_barred_staff(tick: Tick) -> Iterator[Found]:
    """Compare the users barred from a case with its latest conflict check."""
    for cases in _portions(Case.objects.own(), tick):
        results: dict[int, list[Any]] = defaultdict(list)
        rows = OwnConflictResult.objects.filter(case__in=cases).select_related("member")
        for row in rows.order_by("pk"):
            results[row.case_id].append(row)
        for case in cases:
            barred = {
                one.user_id
                for one in select_latest_findings(results[case.pk])
                if one.result != OwnConflictResult.Result.PASS and one.user_id
            }
            yield from _compare(case, {"barred_staff": sorted(barred)}, case)


def compare_party_list_versions(tick: Tick) -> Iterator[Found]:
    """Compare the version of the list of parties with the rows of the parties."""
    for cases in _portions(Case.objects.own(), tick):
        latest = dict(
            Party.objects.filter(case__in=cases)
            .order_by()
            .values_list("case")
            .annotate(latest=Max("list_version"))
        )
        for case in cases:
            # A party that ended leaves no row of its own version.
            if case.party_list_version < latest.get(case.pk, 0):
                yield from _compare(case, {"party_list_version": latest[case.pk]}, case)


def compare_search_keys(tick: Tick) -> Iterator[Found]:
    """Compare the keys by which similar cases are found with those of the case."""
    cases = Case.objects.own().select_related("ur_decision")
    cases = cases.prefetch_related("items", "parties__person", "keys")
    for portion in _portions(cases, tick):
        for case in portion:
            stored = {row.key for row in case.keys.all()}
            # Keys of earlier values stay on purpose.
            missing = build_duplicate_keys(read_application_facts(case)) - stored
            if missing:
                yield Found(
                    code=CODE,
                    table=CaseKey._meta.db_table,
                    row=str(case.pk),
                    column="key",
                    reference=case.number,
                    sentence="Search keys of the case are missing, so duplicates may be missed.",
                    values={"key": sorted(missing)},
                )


def compare_deadlines(tick: Tick) -> Iterator[Found]:
    """Compare the active deadlines of open cases with a new calculation from their facts."""
    # Of open cases only: on the last day on file, no time of a closed case is left.
    for change in find_date_changes(on=LAST_DAY):
        tick()
        yield Found(
            code=CODE,
            table=Deadline._meta.db_table,
            row=str(change.old.pk),
            column="due_on",
            reference=change.case.number,
            sentence=change.problem
            or "The stored calculation of a deadline differs from a new one. If a rule or a "
            "holiday has changed, recalculate the dates of open cases.",
        )


def compare_item_outcomes(tick: Tick) -> Iterator[Found]:
    """Compare the outcome of each decided item with the determination that was issued."""
    items = DisputedItem.objects.filter(
        ending=DisputedItem.Ending.DECIDED, case__origin=Origin.OWN
    ).select_related("case")
    for portion in _portions(items, tick):
        decided: dict[int, DecidedItem] = {}
        rows = DecidedItem.objects.filter(
            item__in=portion, determination__state=Determination.State.ISSUED
        )
        # The latest round counts.
        for row in rows.order_by("determination__round", "pk"):
            decided[row.item_id] = row
        for item in portion:
            if item.pk in decided:
                yield from _compare(item, {"outcome": decided[item.pk].outcome}, item.case)


def compare_determinations(tick: Tick) -> Iterator[Found]:
    """Compare determinations with the opinions from which they are derived."""
    live = Determination.objects.filter(origin=Origin.OWN).exclude(
        state__in=[Determination.State.SET_ASIDE, Determination.State.RETURNED]
    )
    for portion in _portions(live.select_related("case"), tick):
        decided_items: dict[int, list[DecidedItem]] = defaultdict(list)
        rows = DecidedItem.objects.filter(determination__in=portion).select_related("item")
        for row in rows.order_by("pk"):
            decided_items[row.determination_id].append(row)
        opinions: dict[tuple[int, int], list[str]] = defaultdict(list)
        for item_id, round_, outcome in Opinion.objects.filter(
            item__case__in={one.case_id for one in portion},
            assignment__state__in=ReviewerAssignment.DECIDING,
        ).values_list("item_id", "assignment__round", "outcome"):
            opinions[item_id, round_].append(outcome)
        for determination in portion:
            yield from _compare_determination(
                determination, decided_items[determination.pk], opinions
            )


def _compare_determination(
    determination: Determination,
    rows: Sequence[DecidedItem],
    opinions: dict[tuple[int, int], list[str]],
) -> Iterator[Found]:
    case = determination.case
    outcomes = []
    for row in rows:
        # An item that ended otherwise after the review was submitted keeps its row.
        if row.item.ending not in {DisputedItem.Ending.PENDING, DisputedItem.Ending.DECIDED}:
            continue
        outcomes.append(row.outcome)
        try:
            outcome, how = derive_item_outcome(opinions[row.item_id, determination.round])
        except NoOpinion:
            continue  # the reviewer was replaced, and the next one has not decided
        yield from _compare(row, {"outcome": outcome, "how": how}, case)
    if determination.state == Determination.State.ISSUED and outcomes:
        yield from _compare(determination, {"outcome": derive_case_outcome(outcomes)}, case)


def compare_letter_hashes(tick: Tick) -> Iterator[Found]:
    """Compare the hashes of each letter with its text and its file."""
    for letters in _portions(Letter.objects.select_related("file"), tick):
        for letter in letters:
            derived = {
                "words_sha256": words_sha256(letter.words),
                "sha256": letter.file.sha256 if letter.file else "",
            }
            for found in _compare(letter, derived):
                yield Found(
                    found.code, found.table, found.row, found.sentence, found.column,
                    letter.reference,
                )  # fmt: skip


def compare_names(tick: Tick) -> Iterator[Found]:
    """Compare the folded names, by which people and organizations are found, with the names."""
    for names in _portions(PersonName.objects.all(), tick):
        for name in names:
            yield from _compare(name, {"normal": fold_name(name.printed)[:LONGEST]})
    for names in _portions(OrganizationName.objects.all(), tick):
        for name in names:
            yield from _compare(name, {"normal": fold_organization(name.printed)[:LONGEST]})
    for parties in _portions(Party.objects.select_related("case"), tick):
        for party in parties:
            yield from _compare(party, {"name_search": fold_for_search(party.name)}, party.case)


def compare_former_reviewers(tick: Tick) -> Iterator[Found]:
    """Compare who is hidden as a reviewer with who ever had that role."""
    granted = set(
        AccountEvent.objects.filter(
            kind=AccountEvent.Kind.ROLE_GRANTED, detail=Role.REVIEWER.label
        ).values_list("user_id", flat=True)
    )
    for users in _portions(User.objects.all(), tick):
        for user in users:
            yield from _compare(user, {"ever_reviewer": user.pk in granted})


def compare_commitment_moves(tick: Tick) -> Iterator[Found]:
    """Compare how often a commitment was moved with the rows that it replaces."""
    moved = Commitment.objects.filter(replaces__isnull=False).select_related("replaces", "case")
    for portion in _portions(moved, tick):
        for row in portion:
            yield from _compare(row, {"moved": row.replaces.moved + 1}, row.case)


# The comparison of each stored derived field, by model and field.
DERIVED: dict[str, Callable[[Tick], Iterator[Found]]] = {
    "cases.Case.is_open": compare_stage_fields,
    "cases.Case.next_role": compare_stage_fields,
    "cases.Case.queue": compare_stage_fields,
    "cases.Case.due_on": compare_due_dates,
    "cases.Case.due_at": compare_due_dates,
    "cases.Case.due_deadline_kind": compare_due_dates,
    "cases.Case.held_until": compare_held_until,
    "cases.Case.list_day": compare_list_order,
    "cases.Case.urgency": compare_list_order,
    "cases.Case.claim_number_normal": compare_folded_numbers,
    "cases.Case.barred_staff": compare_barred_staff,
    "cases.Case.party_list_version": compare_party_list_versions,
    "cases.URDecision.claim_number_normal": compare_claims_of_decisions,
    "cases.URDecision.reference_normal": compare_folded_numbers,
    "cases.CaseKey.key": compare_search_keys,
    "cases.Deadline.due_on": compare_deadlines,
    "cases.Deadline.file_by": compare_deadlines,
    "cases.Deadline.due_at": compare_deadlines,
    "cases.Deadline.target_on": compare_deadlines,
    "cases.Deadline.steps": compare_deadlines,
    "cases.Deadline.unknown": compare_deadlines,
    "cases.DisputedItem.outcome": compare_item_outcomes,
    "cases.Commitment.moved": compare_commitment_moves,
    "determinations.DecidedItem.outcome": compare_determinations,
    "determinations.DecidedItem.how": compare_determinations,
    "determinations.Determination.outcome": compare_determinations,
    "letters.Letter.words_sha256": compare_letter_hashes,
    "letters.Letter.sha256": compare_letter_hashes,
    "directory.PersonName.normal": compare_names,
    "directory.OrganizationName.normal": compare_names,
    "accounts.User.ever_reviewer": compare_former_reviewers,
}


def compare_derived_values(tick: Tick) -> Iterator[Found]:
    """Compare every stored derived field. Each comparison runs once."""
    for compare in dict.fromkeys(DERIVED.values()):
        yield from compare(tick)
