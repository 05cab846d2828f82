"""Facts about a reviewer that letters may state, each with its source.

A missing fact is left out, so that the letter is refused and the refusal names it. A lapsed fact is
passed with its last day, so that the refusal can name the day. No fact contains the reviewer's
name, code, license number or sign-in (Labor Code 4610.6(f)).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from cases.models import Party, PartyRole
from cases.party_facts import group_party_rows, list_joint_cases
from deadlines.days import local_day
from directory.affiliations import PASS
from letters.facts import Fact
from reviewers.matching.candidates import find_case_conflicts

from .conflicts import group_by_party
from .facts import (
    FactRecord,
    PanelStatus,
    Profile,
    subtract_years,
)
from .matching import requirements
from .models import (
    Certification,
    ConflictResult,
    CredentialFact,
    License,
    PracticeFact,
    ReviewerAssignment,
    Training,
)
from .profiles import load_profile

# The party roles of each sentence about affiliations. The first role must be on file, because the
# letter cannot deny an affiliation with an unknown party. The UR organization belongs to the claims
# administrator that uses it, and the manufacturer to the providers who would use its product.
PARTY_CLASSES: dict[str, tuple[PartyRole, ...]] = {
    "no_affiliation_employer": (PartyRole.EMPLOYER,),
    "no_affiliation_employee": (
        PartyRole.EMPLOYEE,
        PartyRole.EMPLOYEE_ATTORNEY,
        PartyRole.REPRESENTATIVE,
    ),
    "no_affiliation_providers": (
        PartyRole.REQUESTING_PHYSICIAN,
        PartyRole.PHYSICIAN_GROUP,
        PartyRole.OTHER_PROVIDER,
        PartyRole.FACILITY,
        PartyRole.MANUFACTURER,
    ),
    "no_affiliation_claims_administrator": (
        PartyRole.CLAIMS_ADMINISTRATOR,
        PartyRole.INSURER,
        PartyRole.DEFENSE_ATTORNEY,
        PartyRole.UR_ORGANIZATION,
        PartyRole.UR_PHYSICIAN,
    ),
}


@dataclass(frozen=True)
class CredentialLine:
    """The credentials that a letter prints, without a name.

    Specialties matched to the items come first, and California before other states.
    """

    specialties: tuple[str, ...]
    license_states: tuple[str, ...]
    license_kind: str  # a value of LicenseKind; letters describe credentials by it


def get_credential_line(
    assignment: ReviewerAssignment, *, on: date, known_at: datetime
) -> CredentialLine:
    """Return the reviewer's specialties and license states on a day, as known at a moment."""
    profile = _load_assignment_profile(assignment, on=on, known_at=known_at)
    matched_specialties = [match["specialty"] for match in assignment.match_reasons]
    own = profile.specialties
    # A matched specialty that is no longer certified must not be printed.
    ordered = [name for name in matched_specialties if name in own] + list(own)
    return CredentialLine(
        specialties=tuple(dict.fromkeys(ordered)),
        license_states=tuple(
            dict.fromkeys(held_license.state for held_license in profile.good_licenses)
        ),
        license_kind=profile.kind or _find_last_kind(profile),
    )


def collect_reviewer_facts(
    assignment: ReviewerAssignment, *, on: date, known_at: datetime
) -> list[Fact]:
    """Return the facts about an assignment's reviewer on a day, as known at a moment.

    Called on the day of signing and again on the day of issue. For an old letter, pass the day and
    moment of its signing.
    """
    profile = _load_assignment_profile(assignment, on=on, known_at=known_at)
    about = f"seat {assignment.seat}"
    facts = [
        *_build_affiliation_facts(assignment, profile, known_at=known_at),
        _build_attestation_fact(assignment, known_at=known_at),
        _build_license_fact(profile),
        *_build_certification_facts(profile),
        _build_practice_years_fact(profile),
        _build_practice_hours_fact(profile),
        _build_specialty_match_fact(assignment, profile),
        *_build_training_facts(profile),
    ]
    return [
        Fact(one.name, one.value, one.source, one.valid_from, one.valid_to, about)
        for one in facts
        if one is not None
    ]


def _find_last_kind(profile: Profile) -> str:
    """Return the kind of a restricted or lapsed license, so that a refusal can name it."""
    for held_license in profile.licenses:
        return held_license.kind
    lapsed = _find_lapsed_fact(License, profile)
    return lapsed.kind if lapsed is not None else ""


def _load_assignment_profile(
    assignment: ReviewerAssignment, *, on: date, known_at: datetime
) -> Profile:
    if assignment.reviewer is None:
        raise ValueError(f"{assignment} comes from a published letter and names no reviewer.")
    return load_profile(assignment.reviewer, on=on, known_at=known_at)


def _build_affiliation_facts(
    assignment: ReviewerAssignment, profile: Profile, *, known_at: datetime
) -> list[Fact]:
    """Build one fact for each class of parties without an affiliation.

    Every party of the class must pass twice: in the results stored when the reviewer was assigned
    or attested, and in a check against what is on file now.
    """
    case = assignment.case
    # A barred reviewer may have any affiliation, so the letter denies none.
    if case.reviewer_bars.filter(reviewer_id=profile.reviewer_id, barred_at__lte=known_at).exists():
        return []
    # Parties of consolidated cases count too, because the letter decides their items.
    roles = dict(
        Party.objects.known_at(known_at)
        .filter(case__in=list_joint_cases(case))
        .values_list("pk", "role")
    )
    now = group_by_party(find_case_conflicts(case, profile, known_at=known_at))
    stored = _load_stored_results(assignment, profile, list(roles), known_at=known_at)
    facts = []
    for name, classes in PARTY_CLASSES.items():
        of_class = [pk for pk, role in roles.items() if role in classes]
        # The role that a letter names has to be on file, whatever other parties there are.
        required = any(roles[pk] == classes[0] for pk in of_class)
        free = all(
            pk in stored and all(conflict.result == PASS for conflict in now.get(pk, []))
            for pk in of_class
        )
        if required and free:
            facts.append(
                Fact(
                    name,
                    True,
                    f"Parties checked: {len(of_class)}, "
                    f"party list version {max(stored[pk][0] for pk in of_class)}, "
                    f"last checked {local_day(max(stored[pk][1] for pk in of_class)):%m/%d/%Y}",
                )
            )
    return facts


def _load_stored_results(
    assignment: ReviewerAssignment,
    profile: Profile,
    party_ids: Sequence[int],
    *,
    known_at: datetime,
) -> dict[int, tuple[int, datetime]]:
    """Return the parties whose latest stored checks all passed.

    A check holds for every party row that names the same people in the same role.

    :returns: party id → (party list version, time) of the latest check.
    """
    same_parties = group_party_rows(assignment.case)
    rows = ConflictResult.objects.filter(
        case_id=assignment.case_id,
        reviewer_id=profile.reviewer_id,
        party_id__in=frozenset().union(*(same_parties[pk] for pk in party_ids)),
        tested_at__lte=known_at,
    ).order_by("tested_at", "pk")
    latest: dict[int, dict[str, ConflictResult]] = {}
    for row in rows:
        # The lowest id stands for all rows that name the same party.
        of_party = latest.setdefault(min(same_parties[row.party_id]), {})
        # A later check that found nothing replaces the findings of earlier checks.
        if row.relation == "NONE":
            of_party.clear()
        of_party[row.relation] = row
    results = {pk: list(latest.get(min(same_parties[pk]), {}).values()) for pk in party_ids}
    return {
        pk: (
            max(row.party_list_version for row in tests),
            max(row.tested_at for row in tests),
        )
        for pk, tests in results.items()
        if tests and all(row.result == ConflictResult.Result.PASS for row in tests)
    }


def _build_attestation_fact(assignment: ReviewerAssignment, *, known_at: datetime) -> Fact | None:
    """Return the attestation in force at a moment, if it covers the party list of that moment."""
    signed = (
        assignment.attestations.filter(signed_at__lte=known_at)
        # For an old letter, an attestation that was voided later still counts.
        .filter(Q(voided_at__isnull=True) | Q(voided_at__gt=known_at))
        .select_related("wording")
        .order_by("-signed_at")
        .first()
    )
    if signed is None or signed.party_list_version < _get_list_version(assignment, known_at):
        return None
    return Fact(
        "attestation_signed",
        True,
        f"Wording {signed.wording.number}, party list version {signed.party_list_version}, "
        f"signed {local_day(signed.signed_at):%m/%d/%Y}",
        valid_from=local_day(signed.signed_at),
    )


def _get_list_version(assignment: ReviewerAssignment, known_at: datetime) -> int:
    versions = assignment.case.parties.filter(recorded_at__lte=known_at).values_list(
        "list_version", flat=True
    )
    return max(versions, default=0)


def _build_license_fact(profile: Profile) -> Fact | None:
    # A letter may not state a good license while a sanction is on file.
    sanctioned = (
        profile.restricted_licenses or profile.lost_certifications or profile.found_sanctions
    )
    if sanctioned or profile.status != PanelStatus.ACTIVE:
        return None
    good = profile.good_licenses
    if good:
        # The letter names every state, so the fact is valid until the last license expires.
        last = max(good, key=lambda one: one.valid_to or date.max)
        states = ", ".join(dict.fromkeys(one.state for one in good))
        return Fact(
            "license",
            states,
            _describe_source(last),
            valid_from=last.valid_from,
            valid_to=last.valid_to,
        )
    # A license that was restricted when it expired is not a lapsed good license.
    lapsed = _find_lapsed_fact(License, profile, standing=License.Standing.ACTIVE)
    if lapsed is None:
        return None
    return Fact(
        "license", lapsed.state, _describe_source(lapsed), lapsed.valid_from, lapsed.valid_to
    )


def _build_certification_facts(profile: Profile) -> Iterable[Fact]:
    """Build the board certification fact, which only physicians need.

    A lapsed certification is returned with its last day.
    """
    # ``certified_specialties`` leaves out what a reviewer may not decide alone.
    certified = [
        one for one in profile.certifications if one.specialty in profile.certified_specialties
    ]
    if certified:
        last = max(certified, key=lambda one: one.valid_to or date.max)
        names = ", ".join(profile.certified_specialties)
        yield Fact(
            "board_certification", names, _describe_source(last), last.valid_from, last.valid_to
        )
        return
    lapsed = _find_lapsed_fact(Certification, profile, standing=Certification.Standing.CERTIFIED)
    if lapsed is not None:
        yield Fact(
            "board_certification",
            lapsed.specialty.name,
            _describe_source(lapsed),
            lapsed.valid_from,
            lapsed.valid_to,
        )


def _build_practice_years_fact(profile: Profile) -> Fact | None:
    start = profile.practice_start
    if start is None or start.valid_from is None:
        return None
    # The same test as in matching: more than five years, not exactly five.
    if start.valid_from >= subtract_years(profile.on, requirements.PRACTICE_YEARS):
        return None
    return Fact(
        "practice_years",
        f"since {start.valid_from:%m/%d/%Y}",
        _describe_source(start),
        valid_from=start.valid_from,
    )


def _build_practice_hours_fact(profile: Profile) -> Fact | None:
    hours = profile.hours
    if hours is not None and hours.weekly_hours is not None:
        if hours.weekly_hours < requirements.WEEKLY_HOURS:
            return None
        return Fact(
            "practice_hours",
            f"{hours.weekly_hours.normalize():f}",
            _describe_source(hours),
            hours.valid_from,
            hours.valid_to,
        )
    lapsed = _find_lapsed_fact(PracticeFact, profile, kind=PracticeFact.Kind.HOURS)
    if lapsed is None or lapsed.weekly_hours is None:
        return None
    return Fact(
        "practice_hours",
        f"{lapsed.weekly_hours.normalize():f}",
        _describe_source(lapsed),
        lapsed.valid_from,
        lapsed.valid_to,
    )


def _build_specialty_match_fact(assignment: ReviewerAssignment, profile: Profile) -> Fact | None:
    """Return the specialty match stored with the assignment, if its specialties are in force."""
    matches = assignment.match_reasons
    if not matches or any(match["specialty"] not in profile.specialties for match in matches):
        return None
    value = [
        {"item": match["position"], "specialty": match["specialty"], "why": match["why"]}
        for match in matches
    ]
    return Fact("specialty_match", value, f"Candidate list {assignment.candidate_list_id}")


def _build_training_facts(profile: Profile) -> Iterable[Fact]:
    for topic, name in (
        (Training.Topic.LAW, "training_law"),
        (Training.Topic.EVIDENCE, "training_evidence"),
    ):
        taken = profile.training(topic)
        if taken is not None:
            yield Fact(
                name,
                taken.version_taught,
                _describe_source(taken),
                taken.valid_from,
                taken.valid_to,
            )
            continue
        lapsed = _find_lapsed_fact(Training, profile, topic=topic)
        if lapsed is not None:
            yield Fact(
                name,
                lapsed.version_taught,
                _describe_source(lapsed),
                lapsed.valid_from,
                lapsed.valid_to,
            )


def _find_lapsed_fact(model: Any, profile: Profile, **about: Any) -> Any:
    """Return the fact that expired last before the day, to name it in a refusal."""
    return (
        model._default_manager.known_at(profile.known_at)
        .filter(reviewer_id=profile.reviewer_id, valid_to__lt=profile.on, **about)
        .order_by("-valid_to", "-pk")
        .first()
    )


def _describe_source(fact: FactRecord | CredentialFact) -> str:
    return f"{fact.source}, verified {fact.verified_on:%m/%d/%Y} by {fact.verified_by}"
