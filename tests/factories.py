"""Test data, reached by doing the work: every state comes from the services that lead there."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import factory

from accounts.models import User
from accounts.roles import Role
from accounts.services import create_user
from cases.models import ApplicationPaper, Case, Channel, PartyRole, Priority, Signer
from cases.services.parties import PartyOnForm
from correspondence.services import notices
from deadlines.days import local_day
from eligibility.services import screening
from eligibility.services.citations import AdministratorCitations, record_administrator_citations
from intake.models import Batch, IntakeDraft
from intake.services import batches, drafts, receiving
from intake.services.receiving import ApplicationOnForm, AttachedFile, ItemOnForm, URDecisionOnForm

from .stored_stages import CASE_APPS, stored_stage

MONDAY = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # 09:00 in Los Angeles
SIX_YES = dict.fromkeys(
    ("SIGNED", "TIMELY", "UR_ATTACHED", "NECESSITY", "NOT_DECIDED", "LIABILITY_CLEAR"), "YES"
)


class UserFactory(factory.Factory[User]):
    """Someone who signs in, made as an administrator makes them."""

    class Meta:
        model = User

    name = factory.Sequence(lambda n: f"Person Number{n}")
    email = factory.Sequence(lambda n: f"person{n}@example.org")
    password = "correct horse battery staple"
    roles = ()

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        return create_user(
            email=fields["email"],
            name=fields["name"],
            password=fields["password"],
            roles=list(fields["roles"]),
            by=None,
            at=MONDAY,
        )


def person(*roles: Role, **fields: Any) -> User:
    """A user with these roles."""
    user = UserFactory.create(roles=roles, **fields)
    return User.objects.get(pk=user.pk)


def application(**changes: Any) -> ApplicationOnForm:
    """A complete form: signed, in time, with its UR decision; change what a test is about."""
    number = changes.pop("claim_number", f"06-2213-{uuid4().int % 10**8:08d}")
    fields: dict[str, Any] = {
        "key": uuid4(),
        "channel": "MAIL",
        "received_at": MONDAY - timedelta(hours=2),
        "claim_number": number,
        "priority": Priority.REGULAR,
        "date_of_injury": date(2024, 2, 11),
        "diagnosis": "M54.12 Radiculopathy, cervical region",
        "sex": "FEMALE",
        "items_on_form": 1,
        "signed_by": Signer.EMPLOYEE,
        "signed_on": date(2026, 2, 20),
        "consent_on": date(2026, 2, 20),
        "ur_decision_attached": True,
        "ur_decision": URDecisionOnForm(
            decided_on=date(2026, 2, 12),
            served_on=date(2026, 2, 12),
            service_method="mail_ca",
            requested_on=date(2026, 2, 6),
            liability_disputed=False,
        ),
        "parties": parties(),
        "items": [ItemOnForm(title="Cervical epidural steroid injection at C3-4")],
    }
    return ApplicationOnForm(**fields | changes)


# What a party needs to be served by email.
BY_EMAIL: dict[str, Any] = {
    "email": "claims@example.org",
    "preferred_channel": "ELECTRONIC",
    "eservice_on": date(2026, 1, 5),
    "eservice_basis": "Letter of 1/5/2026",
}


def parties(**names: str) -> list[PartyOnForm]:
    """The usual parties; give a role's name to change it."""
    fields = {
        "EMPLOYEE": "Marisol Quintanar",
        "EMPLOYER": "Harbor Cold Storage",
        "CLAIMS_ADMINISTRATOR": "Pacific Comp Claims",
        "REQUESTING_PHYSICIAN": "Dana Oyelaran",
        "EMPLOYEE_ATTORNEY": "Ruth Castellanos",
    } | names
    return [
        PartyOnForm(
            role=PartyRole(role),
            name=name,
            first=name.split()[0],
            last=name.split()[-1],
            date_of_birth=date(1968, 3, 14) if role == "EMPLOYEE" else None,
            address="PO Box 40122\nSacramento CA 95841",
        )
        for role, name in fields.items()
        if name
    ]


def paper(file: Any, kind: str = "UR_DECISION", name: str = "paper.pdf") -> AttachedFile:
    """A file that came with an application."""
    return AttachedFile(ApplicationPaper.Kind(kind), file, name)


def scanned_file(name: str = "scan.pdf", **pdf: Any) -> Any:
    """A scanned application as a browser sends it; different bytes at every call."""
    from .records.factories import make_upload

    return make_upload(name, **pdf)


def batch_of(*scans: Any, by: User | None = None, at: datetime = MONDAY, **fields: Any) -> Batch:
    """A batch of these scans, taken in by a clerk."""
    channel = Channel(fields.pop("channel", "MAIL"))
    fields.setdefault("received_on", local_day(at))
    clerk = by or person(Role.INTAKE)
    uploads = batches.check_uploads(uploads=scans, by=clerk, at=at)
    return batches.open_batch(channel=channel, uploads=uploads, by=clerk, at=at, **fields)


def begun_draft(*, by: User | None = None, at: datetime = MONDAY, **fields: Any) -> IntakeDraft:
    """A form that someone began and did not accept."""
    fields = {
        "key": uuid4(),
        "revision": None,
        "scan_id": None,
        "typed": {"last_name": ["X"]},
    } | fields
    return drafts.save_intake_draft(by=by or person(Role.INTAKE), at=at, **fields)


@stored_stage(*CASE_APPS)
def received_case(*, at: datetime = MONDAY, by: User | None = None, **changes: Any) -> Case:
    """A case as intake leaves it: in screening."""
    clerk = by or person(Role.INTAKE)
    changes.setdefault("received_at", at - timedelta(hours=2))
    return receiving.receive_application(application=application(**changes), by=clerk, at=at)


@stored_stage(*CASE_APPS)
def eligible_case(
    *, at: datetime = MONDAY, coordinator: User | None = None, **changes: Any
) -> Case:
    """A case that a coordinator found eligible."""
    case = received_case(at=at, **changes)
    screening.decide_eligibility(
        case_id=case.pk,
        answers=SIX_YES,
        notes={},
        seen_version=None,
        by=coordinator or person(Role.COORDINATOR),
        at=at + timedelta(hours=1),
    )
    case.refresh_from_db()
    return case


def state_citations(case: Case, *, by: User, at: datetime) -> None:
    """The coordinator reads the UR decision: it cites nothing for any item."""
    for item in case.items.order_by("position"):
        record_administrator_citations(
            item_id=item.pk, cited=AdministratorCitations(nothing=True), by=by, at=at
        )


@stored_stage(*CASE_APPS)
def noticed_case(*, at: datetime = MONDAY, coordinator: User | None = None, **changes: Any) -> Case:
    """A case whose notices of assignment were made, filed (as empty pages) and marked as sent."""
    from .letters.factories import file_without_typesetting, publish_sample_wording

    coordinator = coordinator or person(Role.COORDINATOR)
    publish_sample_wording()
    case = eligible_case(at=at, coordinator=coordinator, **changes)
    state_citations(case, by=coordinator, at=at + timedelta(hours=1))
    notices.make_notices(case_id=case.pk, by=coordinator, at=at + timedelta(hours=2))
    file_without_typesetting(at=at + timedelta(hours=3))
    notices.mark_notices_sent(
        case_id=case.pk,
        sent_on=local_day(at),
        received_at=at + timedelta(hours=3) if case.priority == Priority.EXPEDITED else None,
        by=coordinator,
        at=at + timedelta(hours=4),
    )
    case.refresh_from_db()
    return case
