"""Applications received together are stored as if they were received one by one."""

import random
from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

import guidelines.services as drug_lists
from accounts.roles import Role
from accounts.services import revoke_role
from cases.models import (
    Case,
    CaseLetter,
    CaseLink,
    DuplicateProposal,
    Event,
    OwnConflictResult,
    Priority,
    URDecision,
)
from directory.models import Organization, Person
from intake.services import bulk_receiving, receiving
from intake.services.receiving import ItemOnForm, URDecisionOnForm
from tests.cases.test_own_conflicts import record_member
from tests.factories import MONDAY, application, begun_draft, parties, person
from tests.reviewers.factories import get_category

pytestmark = [pytest.mark.django_db, pytest.mark.every_database]

MORNING = MONDAY - timedelta(hours=3)


@pytest.fixture
def clerk():
    drug_lists.seed_drug_list(by=None, at=MORNING)
    return person(Role.INTAKE)


def make_applications(many, seed):
    """Applications of few workers, claims and days, so that many have something in common."""
    chance = random.Random(seed)
    opioids = get_category("Pharmaceuticals", "Opioids")
    made = []
    for number in range(many):
        born = chance.choice([None, date(1968, 3, 14), date(1971, 5, 2)])
        named = parties(
            EMPLOYEE=chance.choice(
                ["Marisol Quintanar", "Ana Nguyen", "José Núñez", f"Worker Number{number}"]
            ),
            EMPLOYER=chance.choice(["Harbor Cold Storage", "Harbor Cold Storage, Inc.", "Mill"]),
            CLAIMS_ADMINISTRATOR=chance.choice(["Pacific Comp Claims", "PACIFIC COMP CLAIMS"]),
            REQUESTING_PHYSICIAN=chance.choice(["Dana Oyelaran", "Dana Oyelaran", "Luis Vega"]),
            EMPLOYEE_ATTORNEY=chance.choice(["", "Ruth Castellanos", "Dana Oyelaran"]),
        )
        named[0] = type(named[0])(**{**vars(named[0]), "date_of_birth": born})
        made.append(
            application(
                key=UUID(int=chance.choice([number, number, number, number // 2])),
                claim_number=chance.choice(["none", f"X{number}", *[f"WC-{number // 3:06d}"] * 3]),
                received_at=MONDAY
                - timedelta(days=chance.randrange(20), hours=chance.randrange(-1, 5)),
                date_of_injury=date(2024, 2, chance.randrange(1, 28)),
                priority=chance.choice([*Priority]),
                signed_on=date(2026, 2, 1),
                consent_on=date(2026, 2, 1),
                parties=named,
                ur_decision=URDecisionOnForm(
                    decided_on=date(2026, 1, 1 + number // 3),
                    reference=chance.choice(["", "R-1"]),
                    different_because=chance.choice([""] * 9 + ["Another decision"]),
                    requested_on=chance.choice([None, date(2026, 1, 4)]),
                ),
                items=[
                    ItemOnForm(title=title, category_id=opioids.pk if "Norco" in title else None)
                    for title in chance.sample(
                        ["Norco 10/325", "MRI of the lumbar spine", "Brace", "Zolpidem 10 mg"],
                        chance.choice([0, 1, 1, 1, 2, 3]),
                    )
                ],
            )
        )
    # Some rows stand in the file twice.
    return [*made, *chance.sample(made, 8)]


def receive_one_by_one(applications, clerk):
    results = []
    for one in applications:
        try:
            if known := receiving.find_case_of_form(one, by=clerk):
                results.append((known.number, "", True))
                continue
            case = receiving.receive_application(application=one, by=clerk, at=MONDAY)
        except receiving.NotAllowed as refusal:
            results.append(("", str(refusal), False))
        except receiving.StaleForm as refusal:
            results.append(("", str(refusal), False))
        else:
            results.append((case.number, "", False))
    return results


def receive_together(applications, clerk):
    return [
        (one.case.number if one.case else "", str(one.refusal or ""), one.was_known)
        for one in bulk_receiving.receive_many_applications(
            applications=applications, by=clerk, at=MONDAY
        )
    ]


class Undo(Exception):
    pass


def rows_after(act):
    """What an act returns and the rows that it leaves in all tables; then undo it."""
    try:
        with transaction.atomic():
            result, rows = act(), read_all_rows()
            raise Undo
    except Undo:
        return result, rows


def read_all_rows():
    """All rows of all tables, with the places of rows in their table instead of their ids."""
    models = [one for one in apps.get_models(include_auto_created=True) if one._meta.managed]
    stored = {one: list(one._base_manager.order_by(*order_of(one))) for one in models}
    places = {
        one: {row.pk: place for place, row in enumerate(rows)} for one, rows in stored.items()
    }
    found = defaultdict(list)
    for model, rows in stored.items():
        for row in rows:
            found[model._meta.label].append(
                {
                    field.name: read_value(model, field, row, places)
                    for field in model._meta.concrete_fields
                    if field.name != "history_id"
                }
            )
    # Only the order of the versions of one row matters.
    for label in found:
        if label.partition(".")[2].startswith("Historical"):
            found[label].sort(key=lambda row: (row.get("id", 0), row.get("version", 0)))
    # Decisions of one batch are stored in the order of their claims.
    for label in ("cases.URDecision", "cases.HistoricalURDecision"):
        found[label].sort(key=str)
    return found


def order_of(model):
    if model._meta.label in ("cases.URDecision", "cases.HistoricalURDecision"):
        return ("claim_number_normal", "decided_on", "reference_normal", "running_number", "pk")
    return ("pk",)


def read_value(model, field, row, places):
    value = getattr(row, field.attname)
    if field.is_relation and value is not None:
        return places[field.related_model].get(value, value)
    if field.name == "parties_tested":
        parties_placed = places[apps.get_model("cases.Party")]
        return [parties_placed.get(one, one) for one in value]
    tracked = getattr(model, "instance_type", model)
    if field.primary_key or (tracked is not model and field.name == tracked._meta.pk.name):
        return places[tracked].get(value, value)
    return value


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_together_leave_the_rows_that_one_by_one_leaves(clerk, seed):
    record_member(name="Luis Vega", kind="OFFICER")
    applications = make_applications(40, seed)

    one_by_one, rows_of_one_by_one = rows_after(lambda: receive_one_by_one(applications, clerk))
    together, rows = rows_after(lambda: receive_together(applications, clerk))

    assert together == one_by_one
    for label, found in rows.items():
        assert found == rows_of_one_by_one[label], label
    # What the comparison is about did happen.
    assert {bool(number) for number, _, _ in together} == {True, False}
    assert any(was_known for _, _, was_known in together)
    for label in ("CaseLink", "DuplicateProposal", "OwnConflictResult", "CaseLetter"):
        assert rows[f"cases.{label}"], label


def test_persons_and_organizations_named_several_times_are_stored_once(clerk):
    persons, organizations = Person.objects.count(), Organization.objects.count()

    receive_together([application(date_of_injury=date(2024, n, 1)) for n in (1, 2, 3)], clerk)

    # The worker, the physician and the attorney; the employer and the administrator.
    assert (Person.objects.count() - persons, Organization.objects.count() - organizations) == (
        3,
        2,
    )


def test_more_applications_take_no_more_statements(clerk):
    names = iter(
        ["Quill", "Bergstrom", "Tanaka", "Oduya", "Farkas", "Iyer", "Moreau", "Silva", "Whitlock",
         "Zhang", "Kowalski", "Haddad", "Lindqvist", "Pereira", "Novak", "Yilmaz", "Castellano"]
    )  # fmt: skip

    def count(many):
        forms = [
            application(
                parties=parties(EMPLOYEE=f"{name}a {name}"),
                claim_number="none",
                date_of_injury=date(2020, n + 1, many),
            )
            for n, name in zip(range(many), names, strict=False)
        ]
        with CaptureQueriesContext(connection) as queries:
            receive_together(forms, clerk)
        return len(queries)

    count(1)  # the number series of the year
    # A statement on SQLite holds a limited number of values.
    assert count(4) <= 65
    assert count(12) <= 70


def test_a_case_of_a_batch_is_the_duplicate_of_an_earlier_one_of_it(clerk):
    first, second = (application(claim_number="WC-000001") for _ in range(2))

    receive_together([first, application(), second], clerk)

    link = CaseLink.objects.get()
    assert (link.case.application.idempotency_key, link.other.application.idempotency_key) == (
        second.key,
        first.key,
    )


def test_a_party_of_the_organization_itself_is_found(clerk):
    record_member(name="Ruth Castellanos", kind="OFFICER")

    receive_together([application(), application(parties=parties(EMPLOYEE_ATTORNEY=""))], clerk)

    results = {row.case.number: row.result for row in OwnConflictResult.objects.order_by("pk")}
    assert len(results) == 2
    assert len(set(results.values())) == 2


def test_a_draft_of_the_form_is_marked_as_entered(clerk):
    draft = begun_draft(by=clerk)

    receive_together([application(), application(key=draft.key)], clerk)

    draft.refresh_from_db()
    assert draft.case == Case.objects.get(application__idempotency_key=draft.key)


def interrupt(monkeypatch, name, act):
    """Do something once, before a function of the batch runs."""
    real, acts = getattr(bulk_receiving, name), [act]

    def run(*args, **options):
        if acts:
            acts.pop()()
        return real(*args, **options)

    monkeypatch.setattr(bulk_receiving, name, run)


def test_a_decision_that_was_stored_meanwhile_is_found(clerk, monkeypatch):
    form, other = application(claim_number="WC-000001"), application(claim_number="WC-000001")
    interrupt(
        monkeypatch,
        "_receive_together",
        lambda: receiving.receive_application(application=other, by=clerk, at=MONDAY),
    )

    receive_together([application(), form, application()], clerk)

    assert CaseLink.objects.get().case.application.idempotency_key == form.key
    assert Case.objects.count() == 4


def test_a_similar_case_that_was_stored_meanwhile_is_proposed(clerk, monkeypatch):
    named = parties(EMPLOYEE="Odalys Quillfeather")
    other = application(parties=named, claim_number="none")
    interrupt(
        monkeypatch,
        "_receive_together",
        lambda: receiving.receive_application(application=other, by=clerk, at=MONDAY),
    )

    receive_together([application(), application(parties=named)], clerk)

    proposal = DuplicateProposal.objects.get(other__application__idempotency_key=other.key)
    assert proposal.case.parties.get(role="EMPLOYEE").name == "Odalys Quillfeather"


def test_rows_that_collide_are_received_one_by_one(clerk, monkeypatch):
    def collide():
        raise IntegrityError

    interrupt(monkeypatch, "_store_rows_of_cases", collide)

    results = receive_together([application(), application()], clerk)

    assert [number for number, _, _ in results] == sorted(
        Case.objects.values_list("number", flat=True)
    )
    assert CaseLetter.objects.count() == Event.objects.filter(kind="RECEIVED").count() == 2
    assert URDecision.objects.count() == 2


def test_who_has_lost_the_role_meanwhile_is_refused(clerk, monkeypatch):
    interrupt(
        monkeypatch,
        "_receive_together",
        lambda: revoke_role(user_id=clerk.pk, role=Role.INTAKE, by=None, at=MONDAY),
    )

    results = receive_together([application(), application()], clerk)

    assert {refusal for _, refusal, _ in results} == {"Your role cannot enter applications."}
    assert not Case.objects.exists()
