"""Possible duplicates: found by search keys, proposed with evidence, resolved by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.refusals import refuse_if
from cases import duplicates, policies
from cases.duplicates import ApplicationFacts, PossibleDuplicate
from cases.models import (
    Case,
    CaseKey,
    CaseLink,
    DisputedItem,
    DuplicateProposal,
    Event,
    Role,
)

MOST_CANDIDATES = 200  # a key shared by more cases does not distinguish them
MOST_FOUND = 10

Answer = DuplicateProposal.Answer


@dataclass(frozen=True)
class SimilarCase:
    """A case similar to an application, with the evidence."""

    case: Case
    facts: ApplicationFacts
    possible_duplicate: PossibleDuplicate


def read_application_facts(case: Case) -> ApplicationFacts:
    """Read the values of a case to compare. Queries unless parties and items are prefetched."""
    employee = physician = ""
    born = None
    # all() uses prefetched rows; a filter would query once for each candidate.
    for party in case.parties.all():
        if party.role == Role.EMPLOYEE:
            employee = party.name
            born = party.person.date_of_birth if party.person else None
        elif party.role == Role.REQUESTING_PHYSICIAN:
            physician = party.name
    ur_decision = case.ur_decision
    return ApplicationFacts(
        employee=employee,
        born=born,
        claim=case.claim_number_normal,
        injured=case.date_of_injury,
        ur_decided=ur_decision.decided_on if ur_decision else None,
        ur_reference=ur_decision.reference_normal if ur_decision else "",
        physician=physician,
        items=tuple(item.title for item in case.items.all()),
    )


def find_similar_cases(*, facts: ApplicationFacts, but: Case | None = None) -> list[SimilarCase]:
    """Find the cases most similar to an application, saved or not. Five queries, by index.

    :param but: the case of the application itself, which is left out.
    """
    keys = duplicates.build_duplicate_keys(facts)
    # Newest first: if a key is common, recent cases are the likelier duplicates.
    rows = CaseKey.objects.filter(key__in=keys).order_by("-case_id").values_list("case_id")
    if but is not None:
        rows = rows.exclude(case=but)
    # A case may share several keys, so read more rows than cases and drop repeated ids.
    ids = list(dict.fromkeys(pk for (pk,) in rows[: 4 * MOST_CANDIDATES]))[:MOST_CANDIDATES]
    cases = (
        Case.objects.own()
        .filter(pk__in=ids)
        .select_related("ur_decision")
        # Without it, each candidate would cost three queries.
        .prefetch_related("items", "parties__person")
    )
    found = []
    for case in cases:
        theirs = read_application_facts(case)
        possible_duplicate = duplicates.compare_applications(facts, theirs)
        if possible_duplicate.is_proposed or possible_duplicate.belongs:
            found.append(SimilarCase(case, theirs, possible_duplicate))
    found.sort(
        key=lambda one: (
            _BANDS.index(one.possible_duplicate.band),
            -one.possible_duplicate.points,
            one.case.pk,
        )
    )
    return found[:MOST_FOUND]


# Candidates for consolidation that are no duplicates have the band NO, so they come last.
_BANDS = [*duplicates.PROPOSED, duplicates.Band.NO]


def propose_duplicates(*, case: Case, by: User | None, at: datetime) -> list[DuplicateProposal]:
    """Store the possible duplicates of a locked case, once per pair, and its search keys.

    A pair that was proposed before keeps its answer.
    """
    # Read again, because the caller’s row may hold an old UR decision.
    case = Case.objects.select_related("ur_decision").get(pk=case.pk)
    facts = read_application_facts(case)
    _store_new_keys(case, facts)
    known = set(case.possible_duplicates.values_list("other_id", flat=True))
    made = []
    for similar in find_similar_cases(facts=facts, but=case):
        # Skip pairs that were proposed before, and the case that was linked on receipt.
        if not similar.possible_duplicate.is_proposed or similar.case.pk in known | {
            case.duplicate_of_id
        }:
            continue
        # The later of the two carries the proposal.
        if similar.case.pk > case.pk:
            continue
        made.append(
            DuplicateProposal(
                case=case,
                other=similar.case,
                band=similar.possible_duplicate.band,
                repeats=similar.possible_duplicate.repeats,
                why={
                    "for": list(similar.possible_duplicate.for_it),
                    "against": list(similar.possible_duplicate.against),
                    "points": similar.possible_duplicate.points,
                },
                made_at=at,
            ).store(by=by, at=at)
        )
    return made


@transaction.atomic
def search_duplicates_again(*, case_id: int, by: User, at: datetime) -> list[DuplicateProposal]:
    """Search for possible duplicates of a case again, such as after a correction.

    :raises NotAllowed: wrong role.
    """
    case = Case.objects.lock(case_id)
    refuse_if(policies.why_not_resolve_duplicate(by))
    return propose_duplicates(case=case, by=by, at=at)


@transaction.atomic
def resolve_duplicate(
    *,
    proposal_id: int,
    answer: DuplicateProposal.Answer | str,
    reason: str,
    item_ids: Sequence[int] = (),
    by: User,
    at: datetime,
) -> DuplicateProposal:
    """Record whether two similar cases are duplicates. The state of the cases does not change.

    A duplicate or an earlier request links the cases, and the eligibility review proposes I-DUP or
    I-PRIOR for the items named (8 CCR 9792.10.3(a)(2)).

    :param item_ids: items of the later case that are the same treatment as before; required unless
        the answer is "different".
    :raises NotAllowed: wrong role, resolved before, no reason, or items of another case.
    """
    case_id = DuplicateProposal.objects.values_list("case_id", flat=True).get(pk=proposal_id)
    case = Case.objects.lock(case_id)
    proposal = DuplicateProposal.objects.select_related("other").get(pk=proposal_id)
    refuse_if(policies.why_not_resolve_duplicate(by))
    if proposal.answer:
        refuse_if("Someone has already resolved this. Reload the page to see the answer.")
    refuse_if("" if answer in Answer.values else "Choose how the two cases are related.")
    refuse_if("" if reason.strip() else "Enter how you know.")
    strangers = set(item_ids) - set(case.items.values_list("pk", flat=True))
    refuse_if("Choose items of this case." if strangers else "")
    if answer != Answer.DIFFERENT and not item_ids:
        refuse_if("Select the items that are the same treatment.")
    proposal.answer, proposal.reason = answer, reason.strip()[:500]
    # Items selected beside “different” mean nothing.
    proposal.items = sorted(item_ids) if answer != Answer.DIFFERENT else []
    proposal.resolved_at, proposal.resolved_by = at, by
    proposal.store(by=by, at=at, why=reason)
    label = Answer(answer).label.lower()
    if answer != Answer.DIFFERENT:
        kind = CaseLink.Kind.DUPLICATE if answer == Answer.DUPLICATE else CaseLink.Kind.PRIOR
        _link_cases(case, proposal.other, kind, reason, by=by, at=at)
    # On both timelines, because a reader may open either case.
    for one, other in ((case, proposal.other), (proposal.other, case)):
        Event.objects.create(
            case=one,
            kind=Event.Kind.DUPLICATE_SETTLED,
            happened_at=at,
            by=by,
            sentence=f"Compared with {other.number}: {label}.",
            why=reason.strip(),
            facts={"other": other.number, "items": proposal.items},
        )
    return proposal


def list_confirmed_repeats(case: Case) -> dict[int, list[tuple[Case, bool]]]:
    """Map each item to the cases with the same treatment, as persons answered. One query.

    :returns: item id → (case, whether it is a duplicate and not an earlier request).
    """
    found: dict[int, list[tuple[Case, bool]]] = {}
    rows = case.possible_duplicates.filter(answer__in=[Answer.DUPLICATE, Answer.PRIOR])
    for row in rows.select_related("other").order_by("-resolved_at"):
        for item_id in row.items:
            found.setdefault(item_id, []).append((row.other, row.answer == Answer.DUPLICATE))
    return found


def find_earlier_decisions(item: DisputedItem) -> list[DisputedItem]:
    """Find decided items of the same employee with a similar title, latest first. Two queries.

    They help a person to decide about I-PRIOR. The twelve months in which a UR decision stays in
    effect are shown for information only (Labor Code 4610(k)).
    """
    persons = item.case.parties.filter(role=Role.EMPLOYEE).values_list("person_id", flat=True)
    decided = (
        DisputedItem.objects.filter(
            case__parties__role=Role.EMPLOYEE,
            case__parties__person_id__in=list(persons),
            ending=DisputedItem.Ending.DECIDED,
        )
        .exclude(case=item.case_id)
        .select_related("case__ur_decision")
        .order_by("-ended_at", "-pk")
        # The join repeats an item for every party row of the employee.
        .distinct()[:MOST_CANDIDATES]
    )
    return [
        one
        for one in decided
        # Here and not in SQL, which has no measure of shared words.
        if duplicates.measure_item_overlap([item.title], [one.title]) >= duplicates.LIKE_WORDS
    ][:MOST_FOUND]


def _store_new_keys(case: Case, facts: ApplicationFacts) -> None:
    """Store the search keys of a case that are not stored yet."""
    known = set(case.keys.values_list("key", flat=True))
    # Old keys stay: a correction may be wrong, and the earlier value still finds the case.
    fresh = sorted(duplicates.build_duplicate_keys(facts) - known)
    CaseKey.objects.bulk_create([CaseKey(case=case, key=key) for key in fresh])


def _link_cases(
    case: Case, other: Case, kind: CaseLink.Kind, reason: str, *, by: User, at: datetime
) -> None:
    """Link two cases, unless an active link of this kind exists."""
    if not CaseLink.objects.filter(kind=kind, case=case, other=other, ended_at=None).exists():
        CaseLink(kind=kind, case=case, other=other, reason=reason.strip()[:500]).store(
            by=by, at=at, why=reason
        )
