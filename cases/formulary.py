"""The proposal whether a case is a formulary dispute, and what an event says about it.

The proposal never sets the priority. A person chooses it, and may choose otherwise.
"""

from collections.abc import Callable, Iterable
from datetime import date

from guidelines.drug_list import drug_list_on_file
from guidelines.formulary import Answer, DrugList, Proposal, Treatment, propose_for_application

from .models import Case, DisputedItem, Priority, TreatmentCategory

# The category of medications, on top of the shipped list (``cases.seeds``).
MEDICATIONS = "Pharmaceuticals"


def build_treatment(*, title: str, category: TreatmentCategory | None) -> Treatment:
    """Return a treatment as ``guidelines.formulary`` reads it.

    Its category says if it is a medication.
    """
    if category is None:
        return Treatment(title)
    top = category.parent or category
    return Treatment(title, is_medication=top.name == MEDICATIONS)


def propose_for_treatments(
    treatments: Iterable[Treatment],
    *,
    requested_on: date | None,
    decided_on: date | None,
    received_on: date | None,
    find_drug_list: Callable[[date], DrugList | None] = drug_list_on_file,
) -> Proposal | None:
    """Propose from the drug list of the day of the request, or of the first later day stated.

    ``None`` without treatments or without a day. At most two queries.

    :param find_drug_list: finds the list of a day, for callers that keep it for many applications.
    """
    stated = list(treatments)
    on = requested_on or decided_on or received_on
    if on is None or not any(one.title.strip() for one in stated):
        return None
    return propose_for_application(stated, find_drug_list(on), on)


def propose_for_case(case: Case) -> Proposal | None:
    """Propose from the disputed items that are still pending. Queries."""
    items = case.items.filter(ending=DisputedItem.Ending.PENDING)
    items = items.select_related("category__parent").order_by("position")
    decision = case.ur_decision
    return propose_for_treatments(
        (build_treatment(title=item.title, category=item.category) for item in items),
        requested_on=decision.requested_on if decision else None,
        decided_on=decision.decided_on if decision else None,
        received_on=case.received_on,
    )


def describe_other_choice(proposal: Proposal | None, chosen: str) -> str:
    """Return a sentence for an event if a person chose otherwise than proposed; empty if not.

    An expedited case is never one: 72 hours are shorter than the time of a formulary dispute.
    """
    if proposal is None:
        return ""
    otherwise = (proposal.answer is Answer.YES and chosen == Priority.REGULAR) or (
        proposal.answer is Answer.NO and chosen == Priority.FORMULARY
    )
    if not otherwise:
        return ""
    proposed = "formulary" if proposal.answer is Answer.YES else "not formulary"
    return (
        f"Priority chosen: {Priority(chosen).label.lower()}. "
        f"Proposed from the drug list: {proposed}. {proposal.reason}"
    )


def proposal_facts(proposal: Proposal | None) -> dict[str, object]:
    """Return the proposal as data of an event; empty without a proposal."""
    return {"formulary_proposed": proposal.facts()} if proposal else {}
