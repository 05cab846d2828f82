"""Clear applications: all six facts are proposed Yes, without a difference from the UR decision.

They are listed with their evidence and accepted by selecting them. Each is still one person's
decision, in a transaction of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from accounts.refusals import Refused
from cases.lifecycle import Status
from cases.models import Case, CaseRestriction, DisputedItem, Party, PartyRole
from cases.models.case import CaseQuerySet, ListPlace
from eligibility import policies
from eligibility.models import URReading
from eligibility.rules import FACTS, EligibilityProposal

from .proposals import propose_for_cases
from .screening import accept_proposal

# Each case of a run is a transaction of its own, so this limits the time of one request.
MOST = 50
_QUEUE = "eligibility"  # the list that holds the cases in screening
_CHUNK = 100  # cases of which the rules are computed at a time
_MOST_CHUNKS = 5  # of one page


@dataclass(frozen=True)
class ClearCase:
    """A line of the list: a case that every rule proposes as eligible.

    :ivar evidence: the sentences of the rules, in the order of the facts; one for all like items.
    :ivar flags: what staff should see although it decides nothing.
    """

    case: Case
    employee: str
    items: list[DisputedItem]
    evidence: list[str]
    flags: list[str]


@dataclass(frozen=True)
class ClearCases:
    """One page of clear applications, and where the next page begins (empty: nowhere)."""

    rows: list[ClearCase]
    next_key: str


@dataclass(frozen=True)
class AcceptedCase:
    """The result for one case: accepted, or the sentence why it was left out."""

    case: Case
    refusal: str = ""


def list_clear_cases(*, reader: User, after: ListPlace | None = None) -> ClearCases:
    """List clear applications, expedited ones first, then by deadline, up to ``MOST``.

    Restricted cases are left out: each of them is opened and decided on its own page. So are cases
    in which this person has a conflict of interest. About twenty queries for each hundred cases.

    :param after: the place of the last case that the page before has looked at.
    """
    candidates = _find_candidates(reader)
    rows: list[ClearCase] = []
    for _ in range(_MOST_CHUNKS):
        chunk = candidates.next_by_due_date(after=after, limit=_CHUNK)
        for line in _list_clear(chunk, reader):
            rows.append(line)
            if len(rows) == MOST:
                return ClearCases(rows, _format_key(line.case))
        if len(chunk) < _CHUNK:
            return ClearCases(rows, "")
        after = _place_of(chunk[-1])
    return ClearCases(rows, _format_key(chunk[-1]))


def accept_clear_cases(
    *, seen_versions: Sequence[tuple[int, int]], by: User, at: datetime
) -> list[AcceptedCase]:
    """Accept the proposals of some cases, each in its own transaction; return each result.

    A case that changed, that is not clear any more, or that someone else decided, is left out with
    its reason. The others are accepted nevertheless.

    :param seen_versions: id and shown version of each case; only the first ``MOST`` are used.
        Unknown, hidden and restricted cases are skipped.
    """
    versions = dict(seen_versions[:MOST])
    cases = _leave_out_restricted(Case.objects.own().visible_to(by)).in_bulk(list(versions))
    results = []
    for pk, version in versions.items():
        if pk not in cases:
            continue
        try:
            accept_proposal(case_id=pk, seen_version=version, by=by, at=at)
        except Refused as refusal:
            results.append(AcceptedCase(cases[pk], str(refusal)))
        else:
            results.append(AcceptedCase(cases[pk]))
    return results


def _find_candidates(reader: User) -> CaseQuerySet:
    """Find the cases that may be clear, by what the database can tell without the rules."""
    items = DisputedItem.objects.filter(case=OuterRef("pk"), ending=DisputedItem.Ending.PENDING)
    # As the item says, or the UR decision if the item does not.
    for_all = Q(case__ur_decision__liability_disputed=True)
    for_all |= Q(case__ur_decision__liability_disputed__isnull=True)
    disputed = Q(liability_disputed=True) | Q(liability_disputed__isnull=True) & for_all
    denied = Q(ur_outcome__in=[DisputedItem.UROutcome.DENIED, DisputedItem.UROutcome.MODIFIED])
    cases = Case.objects.own().open().visible_to(reader).in_queue(_QUEUE)
    cases = cases.filter(
        Exists(items),
        ~Exists(items.filter(disputed, liability_resolved_on__isnull=True)),
        ~Exists(items.exclude(denied)),
        Exists(URReading.objects.filter(case=OuterRef("pk"))),
        status=Status.SCREENING,
        application__ur_decision_attached=True,
        ur_decision__served_on__isnull=False,
        ur_decision__decided_on__isnull=False,
    ).exclude(application__signed_by="")
    return _leave_out_restricted(cases).select_related("application", "ur_decision")


def _leave_out_restricted(cases: CaseQuerySet) -> CaseQuerySet:
    return cases.exclude(pk__in=CaseRestriction.objects.filter(ended_at=None).values("case"))


def _list_clear(cases: Sequence[Case], reader: User) -> list[ClearCase]:
    """Return those of some cases that are clear, in their order."""
    allowed = [case for case in cases if not policies.why_not_decide_eligibility(reader, case)]
    if not allowed:
        return []
    proposals = propose_for_cases(allowed, reader=reader)
    clear = [case for case in allowed if proposals[case.pk].is_clear]
    named = Party.objects.current().filter(
        case__in=clear, role=PartyRole.EMPLOYEE, valid_to__isnull=True
    )
    employees = {party.case_id: party.name for party in named.order_by("pk")}
    items: dict[int, list[DisputedItem]] = {case.pk: [] for case in clear}
    pending = DisputedItem.objects.filter(case__in=clear, ending=DisputedItem.Ending.PENDING)
    for item in pending.order_by("position"):
        items[item.case_id].append(item)
    return [
        ClearCase(
            case,
            employees.get(case.pk, ""),
            items[case.pk],
            _describe_evidence(proposals[case.pk].proposal, items[case.pk]),
            [flag.sentence for flag in proposals[case.pk].proposal.flags],
        )
        for case in clear
    ]


def _describe_evidence(proposal: EligibilityProposal, items: Sequence[DisputedItem]) -> list[str]:
    """Return the evidence for each fact in order, without repetitions."""
    by_fact = {
        fact: [verdict.sentence for verdict in proposal.of(fact)]
        for fact in ("SIGNED", "TIMELY", "UR_ATTACHED", "LIABILITY_CLEAR")
    }
    outcomes = {item.get_ur_outcome_display() for item in items}
    by_fact["NECESSITY"] = [
        f"{'All items' if len(items) > 1 else 'The item'} in the UR decision: {outcomes.pop()}."
        if len(outcomes) == 1
        else "; ".join(
            f"item {item.position}: {item.get_ur_outcome_display()}" for item in items
        ).capitalize()
        + "."
    ]
    by_fact["NECESSITY"].append("The UR decision as read does not differ from the application.")
    by_fact["NOT_DECIDED"] = ["No other case about the same treatment found."]
    sentences = [sentence for fact in FACTS for sentence in by_fact[fact]]
    return list(dict.fromkeys(sentences))


def _place_of(case: Case) -> ListPlace:
    return ListPlace(case.list_day, case.urgency, case.pk)


def _format_key(case: Case) -> str:
    return ",".join(str(part) for part in _place_of(case))
