"""Proposes the eligibility answers for a case from its stored rows. Reads only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from accounts.models import User
from cases.item_liability import read_liability
from cases.models import Case, CaseLink, DisputedItem, Party, PartyRole, Priority
from cases.models.restrictions import hidden_cases
from cases.services.duplicates import list_confirmed_repeats
from deadlines.models import rules_on_file
from directory.names import fold_name
from eligibility.answers import Answer
from eligibility.models import EligibilityFinding, URReading
from eligibility.rules import EarlierCase, EligibilityProposal, StoredFacts, StoredItemFacts
from eligibility.rules import propose_answers as propose_from

from .ur_decision import (
    ListedDifference,
    find_confirmed_differences,
    list_differences_by_case,
)

_MOST_OF_A_CLAIM = 50  # a claim with more cases is searched only in part

# Parties that every application must name, to identify it and to send the notices.
_NECESSARY = {
    PartyRole.EMPLOYEE: "the employee’s name",
    PartyRole.CLAIMS_ADMINISTRATOR: "the claims administrator",
    PartyRole.REQUESTING_PHYSICIAN: "the requesting physician",
}


def propose_eligibility(case: Case, *, reader: User) -> EligibilityProposal:
    """Propose answers for a case as stored now. About twelve queries for any number of items.

    :param reader: the person who decides; restricted cases that they may not find are left out.
    """
    return propose_for_cases([case], reader=reader)[case.pk].proposal


@dataclass(frozen=True)
class CaseProposal:
    """What the rules propose for a case, and its differences from the UR decision."""

    proposal: EligibilityProposal
    differences: list[ListedDifference]
    is_compared: bool  # a person has read the UR decision as printed

    @property
    def is_clear(self) -> bool:
        """Whether every fact is proposed Yes for every item, without any difference."""
        answers = [*self.proposal.answers.values()]
        answers += [one for own in self.proposal.item_answers.values() for one in own.values()]
        is_yes = bool(self.proposal.item_answers) and set(answers) == {Answer.YES}
        return is_yes and self.is_compared and not self.differences


def propose_for_cases(cases: Sequence[Case], *, reader: User) -> dict[int, CaseProposal]:
    """Propose answers for each case, by its id. About twelve queries for any number of cases."""
    rules, calendars = rules_on_file()
    listed = list_differences_by_case(cases)
    facts = collect_stored_facts(cases, listed, reader=reader)
    compared = set(URReading.objects.filter(case__in=cases).values_list("case_id", flat=True))
    return {
        case.pk: CaseProposal(
            propose_from(facts[case.pk], rules=rules, calendars=calendars),
            listed[case.pk],
            case.pk in compared,
        )
        for case in cases
    }


def collect_stored_facts(
    cases: Sequence[Case], listed: Mapping[int, Sequence[ListedDifference]], *, reader: User
) -> dict[int, StoredFacts]:
    """Collect the stored facts of each case for the rules, by its id. Only pending items count.

    :param listed: the differences of each case from the UR decision.
    """
    roles: dict[int, set[str]] = defaultdict(set)
    parties = Party.objects.current().filter(case__in=cases, valid_to__isnull=True)
    for case_id, role in parties.values_list("case_id", "role"):
        roles[case_id].add(role)
    pending: dict[int, list[DisputedItem]] = defaultdict(list)
    items = DisputedItem.objects.filter(case__in=cases, ending=DisputedItem.Ending.PENDING)
    for item in items.order_by("position"):
        pending[item.case_id].append(item)
    earlier = _find_earlier_cases(cases, pending, reader)
    return {
        case.pk: _build_stored_facts(
            case, roles[case.pk], pending[case.pk], earlier, listed[case.pk]
        )
        for case in cases
    }


def _build_stored_facts(
    case: Case,
    roles: set[str],
    pending: Sequence[DisputedItem],
    earlier: Mapping[int, list[EarlierCase]],
    listed: Sequence[ListedDifference],
) -> StoredFacts:
    # A case that was loaded from a published decision has no application.
    application = case.application
    ur_decision = case.ur_decision
    missing = [words for role, words in _NECESSARY.items() if role not in roles]
    missing += [] if case.claim_number_normal else ["the claim number"]
    missing += [] if case.date_of_injury else ["the date of injury"]
    missing += [] if ur_decision and ur_decision.decided_on else ["the date of the UR decision"]
    not_in, other_decision = find_confirmed_differences(listed)
    liability = read_liability(pending, ur_decision)
    return StoredFacts(
        items=[
            StoredItemFacts(
                position=item.position,
                title=item.title,
                # An outcome that a person entered outweighs what follows from the comparison.
                ur_outcome=item.ur_outcome or ("NOT_IN" if item.position in not_in else ""),
                ending=item.ending,
                was_given=item.service_from is not None,
                earlier=tuple(earlier.get(item.pk, ())),
            )
            for item in pending
        ],
        signed_by=application.signed_by if application else None,
        signed_on=application.signed_on if application else None,
        attorney_named=PartyRole.EMPLOYEE_ATTORNEY in roles,
        designated_on=application.designated_on if application else None,
        missing_fields=tuple(missing),
        received_on=case.received_on,
        formulary=case.priority == Priority.FORMULARY,
        requested_on=ur_decision.requested_on if ur_decision else None,
        rfa_facts=ur_decision.rfa_facts("ur_decision") if ur_decision else {},
        decided_on=ur_decision.decided_on if ur_decision else None,
        served_on=ur_decision.served_on if ur_decision else None,
        service_method=ur_decision.service_method if ur_decision else "",
        date_of_injury=case.date_of_injury,
        injury_last_day=case.injury_last_day,
        ur_attached=application.ur_decision_attached if application else None,
        other_decision=other_decision,
        liability_disputed=liability.disputed,
        liability_reason=" ".join(liability.reasons),
        liability_resolved_on=liability.resolved_on,
        liability_notice_method=liability.notice_method,
    )


def _find_earlier_cases(
    cases: Sequence[Case], pending: Mapping[int, Sequence[DisputedItem]], reader: User
) -> dict[int, list[EarlierCase]]:
    """Find other cases about the same treatments, by item: confirmed by a person, or similar.

    Similar items have the same title, belong to an earlier case with the same claim number or to a
    linked case, and are pending or decided.
    """
    rows = [item for case in cases for item in pending[case.pk]]
    earlier: dict[int, list[EarlierCase]] = defaultdict(list)
    hidden = hidden_cases(reader)
    confirmed = (
        EligibilityFinding.objects.filter(
            item__in=rows,
            answer=Answer.NO,
            other_case__isnull=False,
            decision__case=F("item__case"),
        )
        .exclude(other_case__in=hidden)
        .select_related("other_case")
        .order_by("-pk")
    )
    for finding in confirmed:
        item_id, other = finding.item_id, finding.other_case
        # The newest finding comes first, and only it counts.
        if item_id is not None and other is not None and not earlier[item_id]:
            earlier[item_id].append(EarlierCase(other.number, True, other.is_open))
    for item_id, resolved in list_confirmed_repeats(cases, reader=reader).items():
        for other, is_duplicate in resolved:
            if all(one.case != other.number for one in earlier[item_id]):
                earlier[item_id].append(EarlierCase(other.number, True, is_duplicate))
    others = _find_related_cases(cases)
    similar = (
        DisputedItem.objects.filter(
            case__in=set().union(*others.values()),
            ending__in=[DisputedItem.Ending.PENDING, DisputedItem.Ending.DECIDED],
        )
        .exclude(case__in=hidden)
        .select_related("case")
    )
    # Titles are compared in Python, because the database cannot ignore accents and punctuation. One
    # query serves all items.
    by_words: dict[str, list[Case]] = defaultdict(list)
    for other_item in similar.order_by("case_id", "position"):
        by_words[fold_name(other_item.title)].append(other_item.case)
    for item in rows:
        for other in by_words[fold_name(item.title)]:
            is_related = other.pk in others[item.case_id]
            if is_related and all(one.case != other.number for one in earlier[item.pk]):
                earlier[item.pk].append(EarlierCase(other.number, False, other.is_open))
    return earlier


def _find_related_cases(cases: Sequence[Case]) -> dict[int, set[int]]:
    """Find the cases that each case is linked to, and earlier ones of its claim. Two queries."""
    related: dict[int, set[int]] = {case.pk: set() for case in cases}
    links = CaseLink.objects.filter(case__in=cases, ended_at__isnull=True)
    # A case that was split off is part of the same application and repeats no treatment.
    links = links.exclude(kind=CaseLink.Kind.SPLIT)
    for case_id, other_id in links.values_list("case_id", "other_id"):
        related[case_id].add(other_id)
    claims = {case.claim_number_normal for case in cases} - {""}
    if not claims:
        return related
    same_claim: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    found = Case.objects.own().filter(
        claim_number_normal__in=claims, pk__lt=max(case.pk for case in cases)
    )
    most = _MOST_OF_A_CLAIM * len(claims)
    rows = found.order_by("pk").values_list("pk", "claim_number_normal", "application")[:most]
    for pk, claim, application_id in rows:
        same_claim[claim].append((pk, application_id))
    for case in cases:
        # Only earlier cases: of two cases about one treatment, the later one is the repetition.
        earlier = [
            pk
            for pk, application_id in same_claim[case.claim_number_normal]
            if pk < case.pk and (application_id is None or application_id != case.application_id)
        ]
        related[case.pk] |= set(earlier[:_MOST_OF_A_CLAIM])
    return related
