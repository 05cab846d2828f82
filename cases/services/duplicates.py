"""Possible duplicates: found by search keys, proposed with evidence, resolved by a person."""

from collections.abc import Iterable, Mapping, Sequence
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
    PartyRole,
)
from cases.models.restrictions import select_visible

from . import restrictions

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
        if party.role == PartyRole.EMPLOYEE:
            employee = party.name
            born = party.person.date_of_birth if party.person else None
        elif party.role == PartyRole.REQUESTING_PHYSICIAN:
            physician = party.name
    ur_decision = case.ur_decision
    return ApplicationFacts(
        employee=employee,
        born=born,
        claim=case.claim_number_normal,
        injured=case.date_of_injury,
        injured_until=case.injury_last_day,
        ur_decided=ur_decision.decided_on if ur_decision else None,
        ur_reference=ur_decision.reference_normal if ur_decision else "",
        physician=physician,
        items=tuple(item.title for item in case.items.all()),
    )


@dataclass(frozen=True)
class Comparison:
    """An application compared with all candidates.

    :ivar versions: the version of each compared case, by its id.
    :ivar similar: the candidates that are similar, in no order.
    """

    facts: ApplicationFacts
    versions: Mapping[int, int]
    similar: tuple[SimilarCase, ...]


def compare_with_cases(*, facts: ApplicationFacts) -> Comparison:
    """Compare an application, which is not saved yet, with all candidates. Five queries."""
    versions = _find_candidates(facts, None)
    return Comparison(facts, versions, tuple(_compare_cases(facts, versions)))


def compare_many_with_cases(*, facts: Sequence[ApplicationFacts]) -> list[Comparison]:
    """As ``compare_with_cases``, for several applications.

    One query, and if any has candidates four more and one for each that has.
    """
    versions = find_candidates_of_many(facts=facts)
    cases = {case.pk: case for case in _load_cases({pk for found in versions for pk in found})}
    return [
        Comparison(
            one, found, tuple(_list_similar(one, [cases[pk] for pk in found if pk in cases]))
        )
        for one, found in zip(facts, versions, strict=True)
    ]


def find_candidates_of_many(*, facts: Sequence[ApplicationFacts]) -> list[dict[int, int]]:
    """Find for each application the cases that share a search key, with their versions.

    One query, and one for each application that shares a key with any case.
    """
    keys = [duplicates.build_duplicate_keys(one) for one in facts]
    rows = CaseKey.objects.filter(key__in=set().union(*keys))
    # Which keys are on file, and not all cases that have them: those may be many.
    on_file = set(rows.order_by().values_list("key", flat=True).distinct())
    return [
        _find_candidates(one, None) if of_one & on_file else {}
        for one, of_one in zip(facts, keys, strict=True)
    ]


def find_similar_cases(
    *, facts: ApplicationFacts, excluded_case: Case | None = None
) -> list[SimilarCase]:
    """Find the cases most similar to an application, saved or not. Five queries, by index.

    :param excluded_case: the case of the application itself, which is left out.
    """
    return _rank_similar(_compare_cases(facts, _find_candidates(facts, excluded_case)))


def _find_candidates(facts: ApplicationFacts, excluded_case: Case | None) -> dict[int, int]:
    """Find the ids of cases that share a search key, with their versions. One query."""
    keys = duplicates.build_duplicate_keys(facts)
    rows = CaseKey.objects.filter(key__in=keys)
    if excluded_case is not None:
        rows = rows.exclude(case=excluded_case)
    # Newest first: if a key is common, recent cases are the likelier duplicates.
    pairs = rows.order_by("-case_id").values_list("case_id", "case__version")
    # A case may share several keys, so read more rows than cases and drop repeated ids.
    versions = dict(pairs[: 4 * MOST_CANDIDATES])
    return dict(list(versions.items())[:MOST_CANDIDATES])


def _compare_cases(facts: ApplicationFacts, ids: Iterable[int]) -> list[SimilarCase]:
    """Compare an application with some cases; keep those that are similar. Four queries."""
    return _list_similar(facts, _load_cases(ids))


def _load_cases(ids: Iterable[int]) -> list[Case]:
    """Load cases with what ``read_application_facts`` reads. At most four queries."""
    cases = (
        Case.objects.own()
        .filter(pk__in=ids)
        .select_related("ur_decision")
        # Without it, each candidate would cost three queries.
        .prefetch_related("items", "parties__person")
    )
    return list(cases.order_by("pk"))


def _list_similar(facts: ApplicationFacts, cases: Iterable[Case]) -> list[SimilarCase]:
    """Compare an application with loaded cases; keep those that are similar."""
    similar = []
    for case in cases:
        case_facts = read_application_facts(case)
        possible_duplicate = duplicates.compare_applications(facts, case_facts)
        if possible_duplicate.is_proposed or possible_duplicate.can_consolidate:
            similar.append(SimilarCase(case, case_facts, possible_duplicate))
    return similar


def _compare_again(comparison: Comparison, excluded_case: Case) -> list[SimilarCase]:
    """Compare with the cases that are new or have changed since a comparison. One query if none."""
    versions = _find_candidates(comparison.facts, excluded_case)
    changed = {pk for pk, version in versions.items() if comparison.versions.get(pk) != version}
    unchanged = versions.keys() - changed
    similar = [one for one in comparison.similar if one.case.pk in unchanged]
    return similar + (_compare_cases(comparison.facts, changed) if changed else [])


def _rank_similar(similar: Iterable[SimilarCase]) -> list[SimilarCase]:
    """Keep the most similar cases, the likeliest first."""
    ranked = sorted(
        similar,
        key=lambda one: (
            _BANDS.index(one.possible_duplicate.band),
            -one.possible_duplicate.points,
            one.case.pk,
        ),
    )
    return ranked[:MOST_FOUND]


# Candidates for consolidation that are no duplicates have the band NO, so they come last.
_BANDS = [*duplicates.PROPOSED, duplicates.Band.NO]


def propose_duplicates(
    *, case: Case, comparison: Comparison | None = None, by: User | None, at: datetime
) -> list[DuplicateProposal]:
    """Store the possible duplicates of a locked case, once per pair, and its search keys.

    A pair that was proposed before keeps its answer.

    :param comparison: a comparison of exactly this application made before the transaction. Only
        cases that have changed since are compared again.
    """
    if comparison is None:
        # Read again, because the caller’s row may hold an old UR decision.
        case = Case.objects.select_related("ur_decision").get(pk=case.pk)
        comparison = Comparison(read_application_facts(case), {}, ())
    _store_new_keys(case, comparison.facts)
    proposed_ids = set(case.possible_duplicates.values_list("other_id", flat=True))
    proposed = []
    for similar in _rank_similar(_compare_again(comparison, case)):
        # Skip pairs that were proposed before, such as with the case about the same UR decision.
        if not similar.possible_duplicate.is_proposed or similar.case.pk in proposed_ids:
            continue
        # The later of the two carries the proposal.
        if similar.case.pk > case.pk:
            continue
        # Cases that were split from each other repeat nothing.
        if case.application_id is not None and similar.case.application_id == case.application_id:
            continue
        proposed.append(
            DuplicateProposal(
                case=case,
                other=similar.case,
                band=similar.possible_duplicate.band,
                repeats=similar.possible_duplicate.is_repeat,
                why={
                    "for": list(similar.possible_duplicate.evidence_for),
                    "against": list(similar.possible_duplicate.evidence_against),
                    "points": similar.possible_duplicate.points,
                },
                made_at=at,
            ).store(by=by, at=at)
        )
    return proposed


def propose_same_decision(*, case: Case, lead: Case, by: User | None, at: datetime) -> None:
    """Propose that a new case repeats the open case about the same UR decision, for a person."""
    DuplicateProposal(
        case=case,
        other=lead,
        band=duplicates.Band.SAME,
        why={"for": ["Both dispute the same UR decision."], "against": []},
        made_at=at,
    ).store(by=by, at=at)


def store_keys_of_new_cases(
    *, cases: Sequence[Case], facts: Sequence[ApplicationFacts], by: User | None, at: datetime
) -> None:
    """Store the search keys of cases that were stored in this transaction, in one statement."""
    CaseKey.objects.bulk_create(
        [
            CaseKey(case=case, key=key)
            for case, one in zip(cases, facts, strict=True)
            for key in sorted(duplicates.build_duplicate_keys(one))
        ]
    )


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
    pairs = DuplicateProposal.objects.values_list("case_id", "other_id")
    case_id, other_id = pairs.get(pk=proposal_id)
    # Both, before any check: either could be restricted in the meantime.
    case = Case.objects.lock_all([case_id, other_id])[case_id]
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


def list_confirmed_repeats(
    cases: Sequence[Case], *, reader: User
) -> dict[int, list[tuple[Case, bool]]]:
    """Map each item of some cases to the cases with the same treatment, as persons answered.

    One query.

    :returns: item id → (case, whether it is a duplicate and not an earlier request).
    """
    repeats: dict[int, list[tuple[Case, bool]]] = {}
    rows = DuplicateProposal.objects.filter(
        case__in=cases, answer__in=[Answer.DUPLICATE, Answer.PRIOR]
    )
    rows = select_visible(rows, reader, "other")
    for row in rows.select_related("other").order_by("-resolved_at"):
        for item_id in row.items:
            repeats.setdefault(item_id, []).append((row.other, row.answer == Answer.DUPLICATE))
    return repeats


def find_earlier_decisions(item: DisputedItem) -> list[DisputedItem]:
    """Find decided items of the same employee with a similar title, latest first. Two queries.

    They help a person to decide about I-PRIOR. The twelve months in which a UR decision stays in
    effect are shown for information only (Labor Code 4610(k)).
    """
    persons = item.case.parties.filter(role=PartyRole.EMPLOYEE).values_list("person_id", flat=True)
    decided = (
        DisputedItem.objects.filter(
            case__parties__role=PartyRole.EMPLOYEE,
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
    stored_keys = set(case.keys.values_list("key", flat=True))
    # Old keys stay: a correction may be wrong, and the earlier value still finds the case.
    fresh = sorted(duplicates.build_duplicate_keys(facts) - stored_keys)
    CaseKey.objects.bulk_create([CaseKey(case=case, key=key) for key in fresh])


def _link_cases(
    case: Case, other: Case, kind: CaseLink.Kind, reason: str, *, by: User, at: datetime
) -> None:
    """Link two cases, unless an active link of this kind exists."""
    if not CaseLink.objects.filter(kind=kind, case=case, other=other, ended_at=None).exists():
        CaseLink(kind=kind, case=case, other=other, reason=reason.strip()[:500]).store(
            by=by, at=at, why=reason
        )
        restrictions.spread_restriction(case=case, other=other, by=by, at=at)
