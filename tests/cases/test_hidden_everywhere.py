"""Lists, sentences and looks that could name a restricted case to people without a clearance."""

from uuid import uuid4

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.roles import Role
from cases.models import Case, CaseLink, Event
from cases.services import restrictions
from jobs.models import JobRun
from letters.models import Letter
from maintenance.models import Finding
from tests.determinations.factories import make_issued_case
from tests.factories import MONDAY, parties, person, received_case, scanned_file
from tests.intake.test_intake_page import make_form_data
from tests.letters.test_pages import damage

pytestmark = pytest.mark.django_db


def restrict(case, by=None, *, cleared=()):
    return restrictions.restrict_case(
        case_id=case.pk,
        ground="EMPLOYEE",
        reason="Works in the mail room",
        cleared=[one.pk for one in cleared],
        by=by or person(Role.DIRECTOR),
        at=MONDAY,
    )


def text_of(client, url, who):
    client.force_login(who)
    answer = client.get(url, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def fail_job(case):
    JobRun.objects.create(
        name="cases.examine_own_organization", scheduled_for=MONDAY, reference=case.number,
        outcome="FAILED", created_at=MONDAY, started_at=MONDAY, ended_at=MONDAY, error="Full.",
    )  # fmt: skip


def find_problem(case):
    Finding.objects.create(
        code="no_next_step", table="cases_case", row=str(case.pk), reference=case.number,
        sentence="Nobody acts next.", found_at=MONDAY, seen_at=MONDAY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "page"), [(fail_job, "jobs:list"), (find_problem, "maintenance:findings")]
)
@pytest.mark.capability("RC-9")
def test_problems_of_a_restricted_case_are_shown_to_cleared_people_alone(client, make, page):
    hidden, shown = received_case(), received_case()
    make(hidden)
    make(shown)
    auditor, director = person(Role.AUDITOR), person(Role.DIRECTOR)
    restrict(hidden, director, cleared=[auditor])
    cleared = text_of(client, reverse(page), auditor)
    assert hidden.number in cleared
    assert shown.number in cleared
    other = text_of(client, reverse(page), person(Role.AUDITOR))
    assert hidden.number not in other
    assert shown.number in other
    entry = AccessLogEntry.objects.latest("pk")
    assert (entry.page, entry.subject, entry.shown) == (page, "list", shown.number)


@pytest.mark.capability("RC-9")
def test_a_damaged_letter_of_a_restricted_case_is_shown_to_cleared_people_alone(client):
    case, coordinator = make_issued_case(), person(Role.COORDINATOR)
    letter = Letter.objects.filter(reference=case.number, file__isnull=False).first()
    damage(letter)
    client.force_login(coordinator)
    assert client.get(reverse("letters:download", args=[letter.pk])).status_code == 503
    assert letter.title in text_of(client, reverse("letters:failed"), person(Role.COORDINATOR))
    restrict(case, cleared=[coordinator])
    assert letter.title in text_of(client, reverse("letters:failed"), coordinator)
    assert letter.title not in text_of(client, reverse("letters:failed"), person(Role.COORDINATOR))


@pytest.mark.capability("RC-9")
def test_the_admin_site_names_no_restricted_case_in_rows_of_other_cases(client):
    hidden, other = received_case(), received_case()
    note = Event.objects.create(
        case=other, kind=Event.Kind.NOTE, happened_at=MONDAY, by=person(Role.COORDINATOR),
        sentence=f"See {hidden.number} of the same worker.", why=f"As in {hidden.number}",
        facts={"other": hidden.number},
    )  # fmt: skip
    other.diagnosis = "X"
    other.store(by=None, at=MONDAY, why=f"As in {hidden.number}", fields=["diagnosis"])
    restrict(hidden)
    auditor = person(Role.AUDITOR)
    for url in (
        reverse("admin:cases_event_changelist"),
        reverse("admin:cases_event_change", args=[note.pk]),
        reverse("admin:cases_event_history", args=[note.pk]),
        reverse("admin:cases_case_change", args=[other.pk]),
        reverse("admin:cases_case_history", args=[other.pk]),
    ):
        page = text_of(client, url, auditor)
        assert hidden.number not in page, url
        assert other.number in page or "another case" in page


@pytest.mark.capability("RC-9")
def test_the_explanation_of_a_case_names_no_case_that_is_hidden_from_the_reader(client):
    case, other = received_case(), received_case(parties=parties(EMPLOYEE="Bo Other"))
    director = person(Role.DIRECTOR)
    case.diagnosis = "X"
    case.store(by=director, at=MONDAY, why=f"Copied from {other.number}", fields=["diagnosis"])
    restrict(case, director)
    restrict(other)
    CaseLink(kind="PRIOR", case=case, other=other, reason="same").store(by=director, at=MONDAY)
    page = text_of(client, reverse("desk:explain", args=[case.number]), director)
    assert other.number not in page
    assert "Copied from another case" in page


@pytest.mark.capability("RC-9")
def test_a_scan_of_a_restricted_case_that_is_entered_again_names_no_case(client, set_clock):
    set_clock(MONDAY)
    content = scanned_file().read()
    client.force_login(person(Role.INTAKE))
    client.post(reverse("intake:intake"), make_form_data() | upload(content), follow=True)
    case = Case.objects.latest("pk")
    restrict(case)
    clerk = person(Role.INTAKE)
    client.force_login(clerk)
    again = make_form_data() | {"key": str(uuid4()), "last_name": "Nobody"}
    answer = client.post(reverse("intake:intake"), again | upload(content), follow=True)
    page = answer.content.decode()
    assert case.number not in page + str(answer.redirect_chain)
    assert "This scan was already entered." in page


def upload(content):
    return {"scan": SimpleUploadedFile("scan.pdf", content, "application/pdf")}


@pytest.mark.parametrize("last_name", ["Quintanar", "Zzyzx"])
@pytest.mark.capability("RC-9")
def test_a_form_of_a_restricted_case_that_is_sent_again_names_no_case(client, set_clock, last_name):
    set_clock(MONDAY)
    client.force_login(person(Role.INTAKE))
    typed = make_form_data()
    client.post(reverse("intake:intake"), typed, follow=True)
    case = Case.objects.latest("pk")
    restrict(case)
    changed = typed if last_name == typed["last_name"] else typed | {"last_name": last_name}
    answer = client.post(reverse("intake:intake"), changed, follow=True)
    page = answer.content.decode()
    assert case.number not in page + str(answer.redirect_chain)
    assert "already saved" in page
    if changed is not typed:
        assert answer.status_code == 409
        assert typed["last_name"] not in page


@pytest.mark.capability("RC-9")
def test_the_admin_site_leads_to_no_case_page(client):
    case = received_case()
    restrict(case)
    type_id = ContentType.objects.get_for_model(Case).pk
    for role in (Role.AUDITOR, Role.ADMINISTRATOR, Role.GUIDELINE_ADMIN):
        client.force_login(person(role))
        answer = client.get(f"/admin/r/{type_id}/{case.pk}/")
        assert (answer.status_code, answer.get("Location")) == (404, None)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR, Role.GUIDELINE_ADMIN])
@pytest.mark.capability("RC-9")
def test_the_admin_site_completes_the_fields_of_its_own_forms_alone(client, role):
    received_case()
    client.force_login(person(role))
    for model, field, term in (
        ("party", "corrects", "Marisol"),
        ("party", "case", "CM26"),
        ("case", "duplicate_of", "CM26"),
    ):
        query = f"app_label=cases&model_name={model}&field_name={field}&term={term}"
        assert client.get(f"{reverse('admin:autocomplete')}?{query}").status_code == 404
    query = "app_label=guidelines&model_name=recommendation&field_name=edition&term="
    allowed = client.get(f"{reverse('admin:autocomplete')}?{query}").status_code
    assert allowed == (200 if role == Role.GUIDELINE_ADMIN else allowed)
