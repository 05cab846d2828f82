"""A history of choices, made in bulk: hundreds of cases with a payer, an employer and a reviewer.

The cases are rows and nothing more; who is offered which is dealt at random, or steered on purpose.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from cases.models import Case, Party
from directory.models import Organization
from reviewers.models import Reviewer, ReviewerAssignment
from tests.every_row import unsaved
from tests.factories import MONDAY

_serial = count(1)
PAYERS = ("Northfield Mutual", "Harbor Claims", "Crest Comp")
EMPLOYERS = ("Cold Storage", "Orchards", "Shipyard", "Transit")
SPECIALTIES = ("Neurology", "Surgery")
AT_ONCE = 5_000  # cases stored together


@dataclass(frozen=True)
class Offer:
    """One choice to be made a row."""

    specialty: str
    payer: str
    employer: str
    reviewer: str
    offered_at: datetime


def make_offers(
    *,
    many: int = 240,
    steered: float = 0.0,
    seed: int = 1,
    at: datetime = MONDAY,
    specialties_of: Callable[[str], Sequence[str]] = lambda payer: SPECIALTIES,
) -> list[Offer]:
    """Offers over some days; a share of the first payer's cases goes to one reviewer each time."""
    chance = random.Random(seed)
    offers = []
    for n in range(many):
        payer, employer = chance.choice(PAYERS), chance.choice(EMPLOYERS)
        specialty = chance.choice(specialties_of(payer))
        number = chance.randrange(4)
        if payer == PAYERS[0] and chance.random() < steered:
            number = 0
        when = at + timedelta(days=n % 20)
        offers.append(Offer(specialty, payer, employer, f"{specialty} {number}", when))
    return offers


def store_history(offers: Sequence[Offer]) -> dict[str, Reviewer]:
    """Store the offers; give back the reviewers by the name that the offers call them."""
    names = sorted({offer.reviewer for offer in offers})
    people = [
        Reviewer(
            code=f"R-8{next(_serial):05d}",
            first_name=name,
            last_name="Reviewerson",
            email=f"{name.replace(' ', '')}{next(_serial)}@example.org",
        )
        for name in names
    ]
    Reviewer.objects.bulk_store(people, by=None, at=MONDAY)
    reviewers = dict(zip(names, Reviewer.objects.order_by("-pk")[: len(names)][::-1], strict=True))

    parties = sorted({name for offer in offers for name in (offer.payer, offer.employer)})
    Organization.objects.bulk_store([Organization() for _ in parties], by=None, at=MONDAY)
    organizations = dict(
        zip(parties, Organization.objects.order_by("-pk")[: len(parties)][::-1], strict=True)
    )

    for start in range(0, len(offers), AT_ONCE):
        _store_offers(offers[start : start + AT_ONCE], organizations, reviewers)
    return reviewers


def _store_offers(
    offers: Sequence[Offer],
    organizations: Mapping[str, Organization],
    reviewers: Mapping[str, Reviewer],
) -> None:
    Case.objects.bulk_store([_case() for _ in offers], by=None, at=MONDAY)
    cases = Case.objects.order_by("-pk")[: len(offers)][::-1]
    Party.objects.bulk_create(
        [
            Party(
                case=case,
                role=role,
                organization=organizations[name],
                name=name,
                list_version=1,
                recorded_at=MONDAY,
            )
            for case, offer in zip(cases, offers, strict=True)
            for role, name in (
                ("CLAIMS_ADMINISTRATOR", offer.payer),
                ("EMPLOYER", offer.employer),
            )
        ],
        batch_size=500,
    )
    rows = [
        ReviewerAssignment(
            case=case,
            round=1,
            reviewer=reviewers[offer.reviewer],
            match_reasons=[{"item": 1, "specialty": offer.specialty, "why": "Fits"}],
            offered_at=offer.offered_at,
        )
        for case, offer in zip(cases, offers, strict=True)
    ]
    ReviewerAssignment.objects.bulk_store(rows, by=None, at=MONDAY)


def _case() -> Case:
    case = unsaved(Case)
    case.number = f"HX26-{next(_serial):07d}"
    return case
