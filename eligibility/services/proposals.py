"""Proposes the eligibility answers for a case from its stored rows. Reads only."""

from collections import defaultdict
from collections.abc import Sequence

from cases.models import Case, CaseLink, DisputedItem, Priority, Role
from cases.services.duplicates import list_confirmed_repeats
from deadlines.models import rules_on_file
from directory.names import fold_name
from eligibility.answers import Answer
from eligibility.models import EligibilityFinding
from eligibility.rules import EarlierCase, ItemFacts, Proposal, StoredFacts
from eligibility.rules import propose_answers as propose_from

from .ur_decision import find_confirmed_differences

# Parties that every application must name, to identify it and to send the notices.
_NECESSARY = {
    Role.EMPLOYEE: "the employee’s name",
    Role.CLAIMS_ADMINISTRATOR: "the claims administrator",
    Role.REQUESTING_PHYSICIAN: "the requesting physician",
}


def propose_eligibility(case: Case) -> Proposal:
    """Propose answers for a case as stored now. About twelve queries for any number of items."""
    rules, calendars = rules_on_file()
    return propose_from(collect_stored_facts(case), rules=rules, calendars=calendars)


def collect_stored_facts(case: Case) -> StoredFacts:
    """Collect the stored facts of a case for the rules. Only pending items are included."""
    # A case that was loaded from a published decision has no application.
    application = getattr(case, "application", None)
    ur_decision = case.ur_decision
    parties = case.parties.current().filter(valid_to__isnull=True)
    roles = set(parties.values_list("role", flat=True))
    missing = [words for role, words in _NECESSARY.items() if role not in roles]
    missing += [] if case.claim_number_normal else ["the claim number"]
    missing += [] if case.date_of_injury else ["the date of injury"]
    missing += [] if ur_decision and ur_decision.decided_on else ["the date of the UR decision"]
    items, other_decision = find_confirmed_differences(case)
    return StoredFacts(
        items=_collect_items(case, not_in=items),
        signed_by=application.signed_by if application else None,
        signed_on=application.signed_on if application else None,
        attorney_named=Role.EMPLOYEE_ATTORNEY in roles,
        designated_on=application.designated_on if application else None,
        missing_fields=tuple(missing),
        received_on=case.received_on,
        formulary=case.priority == Priority.FORMULARY,
        requested_on=ur_decision.requested_on if ur_decision else None,
        decided_on=ur_decision.decided_on if ur_decision else None,
        served_on=ur_decision.served_on if ur_decision else None,
        service_method=ur_decision.service_method if ur_decision else "",
        date_of_injury=case.date_of_injury,
        ur_attached=application.ur_decision_attached if application else None,
        other_decision=other_decision,
        liability_disputed=ur_decision.liability_disputed if ur_decision else None,
        liability_reason=ur_decision.liability_reason if ur_decision else "",
        liability_resolved_on=ur_decision.liability_resolved_on if ur_decision else None,
        liability_notice_method=ur_decision.liability_notice_method if ur_decision else "",
    )


def _collect_items(case: Case, *, not_in: set[int]) -> list[ItemFacts]:
    rows = list(case.items.filter(ending=DisputedItem.Ending.PENDING).order_by("position"))
    earlier = _find_earlier_cases(case, rows)
    return [
        ItemFacts(
            position=item.position,
            title=item.title,
            # An outcome that a person entered outweighs what follows from the comparison.
            ur_outcome=item.ur_outcome or ("NOT_IN" if item.position in not_in else ""),
            ending=item.ending,
            was_given=item.service_from is not None,
            earlier=tuple(earlier[item.pk]),
        )
        for item in rows
    ]


def _find_earlier_cases(case: Case, rows: Sequence[DisputedItem]) -> dict[int, list[EarlierCase]]:
    """Find other cases about the same treatments, by item: confirmed by a person, or similar.

    Similar items have the same title, belong to an earlier case with the same claim number or to a
    linked case, and are pending or decided.
    """
    found: dict[int, list[EarlierCase]] = defaultdict(list)
    confirmed = (
        EligibilityFinding.objects.filter(
            item__in=rows, answer=Answer.NO, other_case__isnull=False, decision__case=case
        )
        .select_related("other_case")
        .order_by("-pk")
    )
    for finding in confirmed:
        item_id, other = finding.item_id, finding.other_case
        # The newest finding comes first, and only it counts.
        if item_id is not None and other is not None and not found[item_id]:
            found[item_id].append(EarlierCase(other.number, True, other.is_open))
    for item_id, resolved in list_confirmed_repeats(case).items():
        for other, is_duplicate in resolved:
            if all(one.case != other.number for one in found[item_id]):
                found[item_id].append(EarlierCase(other.number, True, is_duplicate))
    linked = CaseLink.objects.filter(case=case, ended_at__isnull=True)
    others = set(linked.values_list("other_id", flat=True))
    if case.claim_number_normal:
        others |= set(
            Case.objects.own()
            # Only earlier cases: of two cases about one treatment, the later one is the repetition.
            .filter(claim_number_normal=case.claim_number_normal, pk__lt=case.pk)
            .values_list("pk", flat=True)[:50]  # a claim with more cases is searched only in part
        )
    similar = DisputedItem.objects.filter(
        case__in=others, ending__in=[DisputedItem.Ending.PENDING, DisputedItem.Ending.DECIDED]
    ).select_related("case")
    # Titles are compared in Python, because the database cannot ignore accents and punctuation. One
    # query serves all items.
    by_words: dict[str, list[Case]] = defaultdict(list)
    for other_item in similar.order_by("case_id", "position"):
        by_words[fold_name(other_item.title)].append(other_item.case)
    for item in rows:
        for other in by_words[fold_name(item.title)]:
            if all(one.case != other.number for one in found[item.pk]):
                found[item.pk].append(EarlierCase(other.number, False, other.is_open))
    return found
