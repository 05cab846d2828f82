"""Looking cases up in the admin site: found and read, changed by no one, accesses recorded."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.roles import Role
from accounts.services import revoke_role
from cases.lifecycle import Status
from cases.models import Case, Event, Party, TreatmentCategory
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

LOOKERS = {Role.AUDITOR}
LOOK_UPS = {"case": Case, "party": Party, "event": Event}


@pytest.fixture
def case():
    return received_case()


@pytest.fixture
def auditor(client):
    someone = person(Role.AUDITOR, name="Otto Auditor")
    client.force_login(someone)
    return someone


def page(act, row):
    return reverse(f"admin:cases_{row._meta.model_name}_{act}", args=[row.pk])


def row_of(case, name):
    return {"case": case, "party": case.parties.first(), "event": case.events.first()}[name]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_only_auditors_look_up_cases(client, case, role):
    client.force_login(person(role))

    for name in LOOK_UPS:
        row = row_of(case, name)
        answers = [
            client.get(reverse(f"admin:cases_{name}_changelist")),
            client.get(page("change", row)),
            client.get(page("history", row)),
        ]
        opened = [answer.status_code == 200 for answer in answers]
        assert opened == [role in LOOKERS] * 3, name


@pytest.mark.capability("AD-4")
@pytest.mark.parametrize("other_role", [None, Role.REVIEWER, Role.COORDINATOR])
def test_an_administrator_sees_a_worker_only_if_another_role_opens_cases(client, case, other_role):
    client.force_login(person(*filter(None, (Role.ADMINISTRATOR, other_role))))
    pages = [client.get(case.get_absolute_url())]
    for name in LOOK_UPS:
        pages.append(client.get(reverse(f"admin:cases_{name}_changelist")))
        pages.append(client.get(page("change", row_of(case, name))))
    opened = other_role == Role.COORDINATOR
    assert [answer.status_code == 200 for answer in pages] == [opened] * len(pages)
    shown = client.get(reverse("admin:index")).content.decode()
    assert (reverse("admin:cases_party_changelist") in shown) == opened
    assert reverse("admin:cases_treatmentcategory_changelist") in shown


def test_a_case_is_found_by_its_number(client, case, auditor):
    received_case()

    answer = client.get(reverse("admin:cases_case_changelist"), {"q": case.number})

    assert [row.pk for row in answer.context["cl"].result_list] == [case.pk]


@pytest.mark.parametrize("name", LOOK_UPS)
def test_nothing_can_be_added_changed_or_deleted(client, case, name):
    client.force_login(person(Role.AUDITOR))
    row = row_of(case, name)
    before = type(row).objects.filter(pk=row.pk).values().get()

    assert client.get(reverse(f"admin:cases_{name}_add")).status_code == 403
    assert client.post(page("change", row), {"status": Status.CLOSED}).status_code == 403
    assert client.post(page("delete", row), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    client.post(reverse(f"admin:cases_{name}_changelist"), action)

    assert type(row).objects.filter(pk=row.pk).values().get() == before


def test_the_page_of_a_case_offers_no_field_to_change_and_no_button(client, case, auditor):
    answer = client.get(page("change", case))

    html = answer.content.decode()
    assert case.number in html
    assert 'name="status"' not in html
    assert 'name="_save"' not in html
    assert "deletelink" not in html


def test_the_history_of_a_case_shows_what_changed_by_whom_and_why(client, case, auditor):
    coordinator = person(Role.COORDINATOR, name="Cora Coordinator")
    case.move_to(Status.INFO_REQUESTED, by=coordinator, at=MONDAY, why="A page is missing.")

    html = client.get(page("history", case)).content.decode()

    assert "Cora Coordinator" in html
    assert "A page is missing." in html
    assert "status: SCREENING → INFO_REQUESTED" in html
    assert "First version." in html


def test_the_history_of_a_party_shows_the_rows_that_it_corrects(client, case, auditor):
    clerk = person(Role.INTAKE, name="Ines Intake")
    old = case.parties.get(role="EMPLOYEE_ATTORNEY")
    new = Party.objects.create(
        case=case,
        role=old.role,
        person=old.person,
        name=old.name,
        valid_to=date(2026, 3, 1),
        list_version=2,
        corrects=old,
        recorded_at=MONDAY + timedelta(days=1),
        recorded_by=clerk,
        source="Letter of substitution",
    )

    html = client.get(page("history", new)).content.decode()

    assert "Ines Intake" in html
    assert "Letter of substitution" in html
    assert "valid to: – → 2026-03-01" in html
    assert "First version." in html


def test_a_reviewer_is_named_nowhere(client, case, auditor):
    reviewer = person(Role.REVIEWER, name="Ruth Secret")
    case.move_to(Status.INFO_REQUESTED, by=reviewer, at=MONDAY)
    event = Event.objects.create(
        case=case,
        kind=Event.Kind.SUBMITTED,
        happened_at=MONDAY,
        by=reviewer,
        by_reviewer_seat=1,
        sentence="Review submitted.",
    )

    def texts():
        addresses = [
            reverse("admin:cases_event_changelist"),
            *(page(act, row) for act in ("change", "history") for row in (case, event)),
        ]
        return [client.get(address).content.decode() for address in addresses]

    assert not any("Ruth Secret" in text for text in texts())
    assert "The reviewer, seat 1" in texts()[4]

    revoke_role(user_id=reviewer.pk, role=Role.REVIEWER, by=None, at=MONDAY)
    assert not any("Ruth Secret" in text for text in texts())


def test_every_look_is_noted_and_so_is_every_refusal(client, case, auditor):
    client.get(page("change", case))
    client.get(page("history", case.parties.first()))
    stranger = person(Role.GUIDELINE_ADMIN)
    client.force_login(stranger)
    client.get(page("change", case))

    entries = AccessLogEntry.objects.filter(subject="case", reference=case.number).order_by("pk")
    assert [(entry.user, entry.granted) for entry in entries] == [
        (auditor, True),
        (auditor, True),
        (stranger, False),
    ]


def test_the_administrator_adds_and_changes_a_category_each_with_its_version(client):
    administrator = person(Role.ADMINISTRATOR)
    client.force_login(administrator)
    parent = TreatmentCategory.objects.order_by("pk").first()

    client.post(
        reverse("admin:cases_treatmentcategory_add"),
        {"name": "Aquatic therapy", "parent": parent.pk if parent else "", "is_active": "on"},
    )
    category = TreatmentCategory.objects.get(name="Aquatic therapy")
    answer = client.post(
        page("change", category),
        {
            "name": "Aquatic exercise",
            "parent": parent.pk if parent else "",
            "is_active": "on",
            "seen_version": category.version,
        },
    )

    assert answer.status_code == 302
    newest, oldest = category.history.order_by("-history_id")
    assert (oldest.name, newest.name) == ("Aquatic therapy", "Aquatic exercise")
    assert newest.history_user == administrator
    assert client.get(page("history", category)).status_code == 200


def test_a_category_is_not_deleted_and_the_auditor_only_reads(client, auditor):
    category = TreatmentCategory(name="Balneology").store(by=None, at=MONDAY)

    assert client.get(page("change", category)).status_code == 200
    assert client.post(page("change", category), {"name": "Other"}).status_code == 403
    assert client.get(reverse("admin:cases_treatmentcategory_add")).status_code == 403
    client.force_login(person(Role.ADMINISTRATOR))
    assert client.post(page("delete", category), {"post": "yes"}).status_code == 403
    assert TreatmentCategory.objects.get(pk=category.pk).name == "Balneology"


def test_an_unknown_row_is_not_found(client, auditor):
    assert client.get(reverse("admin:cases_case_change", args=[987654])).status_code == 404
    assert client.get(reverse("admin:cases_case_history", args=[987654])).status_code == 404
