"""The office of the demonstration: people, the panel, the organization and the guidelines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import letters.services
import reviewers.services.credentialing as credentialing
from accounts.models import User
from accounts.roles import Role
from accounts.services import create_user
from cases.services import organization
from deadlines.calendars import Calendar
from deadlines.days import PACIFIC, local_day
from guidelines.models import Recommendation
from letters.models import WordingSet
from reviewers.models import LicenseKind, Reviewer
from reviewers.services.credentialing import Evidence

from .stories import AUTHORITIES, find_edition, find_recommendation

PASSWORD = "imr-portal-demo"  # noqa: S105 - printed on the demo's sign-in page on purpose
DOMAIN = "demo.example"

PEOPLE: dict[str, tuple[str, list[Role]]] = {
    "administrator": ("Ada Lindqvist", [Role.ADMINISTRATOR]),
    "intake": ("Rosa Okafor", [Role.INTAKE]),
    "supervisor": ("Henry Castellano", [Role.SUPERVISOR, Role.INTAKE]),
    "coordinator": ("Mina Petrov", [Role.COORDINATOR]),
    "credentialing": ("Tomas Berg", [Role.CREDENTIALING]),
    "reviewer": ("Alice Whitfield", [Role.REVIEWER]),
    "reviewer2": ("Samuel Nakamura", [Role.REVIEWER]),
    "reviewer3": ("Lucia Ferreira", [Role.REVIEWER]),
    "reviewer4": ("Daniel Osei", [Role.REVIEWER]),
    "qa": ("Maria Delgado", [Role.QA]),
    "director": ("Ingrid Solberg", [Role.DIRECTOR]),
    "mailroom": ("Ben Akande", [Role.MAILROOM]),
    "guidelines": ("Grace Lim", [Role.GUIDELINE_ADMIN]),
    "auditor": ("Olga Ivers", [Role.AUDITOR]),
}


@dataclass(frozen=True)
class PanelMember:
    """A reviewer of the panel. ``key`` is their user in ``PEOPLE``."""

    key: str
    license_kind: LicenseKind
    states: Sequence[str]
    board: str
    specialties: Sequence[str]
    practicing_since: date
    has_malpractice_proof: bool = True


PANEL = (
    PanelMember(
        "reviewer",
        LicenseKind.MD,
        ["California"],
        "American Board of Physical Medicine and Rehabilitation",
        ["Physical Medicine & Rehabilitation"],
        practicing_since=date(2003, 9, 1),
    ),
    PanelMember(
        "reviewer2",
        LicenseKind.MD,
        ["California", "Nevada"],
        "American Board of Anesthesiology",
        ["Pain Management", "Anesthesiology"],
        practicing_since=date(2009, 7, 1),
    ),
    # Without proof of malpractice coverage, so that the worklist has a gap to show.
    PanelMember(
        "reviewer3",
        LicenseKind.DO,
        ["Texas"],
        "American Osteopathic Board of Orthopedic Surgery",
        ["Orthopedic Surgery"],
        practicing_since=date(2011, 8, 1),
        has_malpractice_proof=False,
    ),
    PanelMember(
        "reviewer4",
        LicenseKind.MD,
        ["California", "Oregon"],
        "American Board of Orthopaedic Surgery",
        ["Orthopedic Surgery"],
        practicing_since=date(2006, 10, 1),
    ),
)


@dataclass
class Demo:
    """One loading of the demonstration: who acts, and how to wait for letters."""

    now: datetime
    people: dict[str, User]
    calendar: Calendar
    wait_for_letters: Callable[[str], None]


class CaseClock:
    """Moments in office hours for the actions on one case, each later than the one before."""

    def __init__(self, now: datetime, calendar: Calendar) -> None:
        self._now, self._calendar = now, calendar
        self._last: datetime | None = None

    def find_moment(self, days_ago: int, hour: int = 10) -> datetime:
        """Return a moment on an open day of the office that many days ago or earlier.

        Never after now.
        """
        day = self._calendar.on_or_before(local_day(self._now) - timedelta(days=days_ago))
        moment = datetime.combine(day, time(hour), PACIFIC)
        if self._last is not None:
            # Some minutes apart, so that the events of a case have a clear order.
            moment = max(moment, self._last + timedelta(minutes=7))
        # Actions of today may be planned for an hour that is still to come.
        self._last = min(moment, self._now)
        return self._last


def create_people(*, at: datetime) -> dict[str, User]:
    """Make a user for each of ``PEOPLE``."""
    return {
        key: create_user(
            email=f"{key}@{DOMAIN}",
            name=name,
            password=PASSWORD,
            roles=roles,
            by=None,
            at=at,
            is_demo=True,
        )
        for key, (name, roles) in PEOPLE.items()
    }


def publish_wording(demo: Demo, *, at: datetime) -> None:
    """Let the medical director publish the sample wording of every letter."""
    for draft in WordingSet.objects.filter(state=WordingSet.State.DRAFT):
        # Reference data that was loaded earlier has later drafts; versions must rise.
        letters.services.publish_wording(
            set_id=draft.pk, by=demo.people["director"], at=max(at, draft.imported_at)
        )


def add_recommendations(demo: Demo, *, at: datetime) -> None:
    """Let the guideline administrator add the topics that the demonstration cites."""
    on = local_day(at)
    for one in AUTHORITIES.values():
        if find_recommendation(one, on=on) is None:
            Recommendation(
                edition=find_edition(one, on=on),
                section=one.section,
                keywords=one.keywords,
                summary=one.summary,
            ).store(by=demo.people["guidelines"], at=at, why="For the demonstration")


def record_organization(demo: Demo, *, at: datetime) -> None:
    """Record an owner, an officer who works here, and an affiliation with none of the parties."""
    keeper, director = demo.people["credentialing"], demo.people["director"]
    owner = organization.record_member(
        kind="OWNER",
        name="Thea Lindholm",
        share_percent=Decimal(100),
        valid_from=date(2012, 1, 1),
        source="Register of shareholders",
        by=keeper,
        at=at,
    )
    organization.record_member_affiliation(
        member_id=owner.pk,
        relation="OWNERSHIP",
        organization_name="Lindholm Vineyards",
        share_percent=Decimal(40),
        valid_from=date(2009, 5, 1),
        source="Statement of interests",
        by=keeper,
        at=at,
    )
    organization.record_member(
        kind="OFFICER",
        name=director.name,
        user_id=director.pk,
        title="Medical director",
        valid_from=date(2016, 9, 1),
        source="Minutes of the board",
        by=keeper,
        at=at,
    )


def create_panel(demo: Demo, *, at: datetime) -> None:
    """Make the reviewers of the panel with their credentials."""
    keeper = demo.people["credentialing"]
    for member in PANEL:
        user = demo.people[member.key]
        first, _, last = user.name.partition(" ")
        row = credentialing.create_reviewer(
            first_name=first, last_name=last, email=user.email, by=keeper, at=at
        )
        credentialing.link_user(reviewer_id=row.pk, user_id=user.pk, by=keeper, at=at)
        _record_credentials(row, member, keeper, at)


def _record_credentials(row: Reviewer, member: PanelMember, keeper: User, at: datetime) -> None:
    day = local_day(at)
    shared: dict[str, Any] = {"reviewer_id": row.pk, "by": keeper, "at": at}

    def make_evidence(source: str, first: date, last: date | None = None) -> Evidence:
        return Evidence(day, keeper.name, source, valid_from=first, valid_to=last)

    year = timedelta(days=365)
    for number, state in enumerate(member.states):
        credentialing.add_license(
            state=state,
            number=f"{state[0]}{row.pk:02d}{number}4417",
            kind=member.license_kind,
            evidence=make_evidence(
                f"Medical board of {state}, public register",
                member.practicing_since,
                day + 2 * year,
            ),
            **shared,
        )
    for specialty in member.specialties:
        credentialing.add_certification(
            board=member.board,
            specialty=specialty,
            evidence=make_evidence(
                "Register of the board", member.practicing_since, day + 3 * year
            ),
            **shared,
        )
    credentialing.add_practice_fact(
        kind="START",
        evidence=make_evidence("Curriculum vitae and two employers", member.practicing_since),
        **shared,
    )
    credentialing.add_practice_fact(
        kind="HOURS",
        weekly_hours=Decimal("30"),
        evidence=make_evidence("Signed statement of the reviewer", day, day + year),
        **shared,
    )
    for topic in ("LAW", "EVIDENCE"):
        credentialing.add_training(
            topic=topic,
            version_taught=str(day.year),
            evidence=make_evidence("Training log", day),
            **shared,
        )
    credentialing.add_sanction_check(
        register="NPDB",
        found=False,
        evidence=make_evidence("Query of the data bank", day),
        **shared,
    )
    credentialing.add_file_proof(
        kind="IDENTITY",
        detail="Passport, seen in person",
        evidence=make_evidence("The document itself", day),
        **shared,
    )
    if member.has_malpractice_proof:
        credentialing.add_file_proof(
            kind="MALPRACTICE",
            detail="Carrier's letter: covered, no claims in ten years",
            evidence=make_evidence("Letter of the carrier", day, day + year),
            **shared,
        )
