"""The access log as auditors read it: one line per visit, filters, pages by key, CSV."""

import csv
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessLogEntry
from accounts.roles import Role
from accounts.services import write_access_entry
from cases.services import restrictions
from desk.access_log import PAGE, AccessFilter, find_entries, list_visits
from tests.factories import person, received_case

pytestmark = pytest.mark.django_db

ACCESSES = reverse("desk:accesses")
NUMBER = "CM26-0000009"
NOW = timezone.now()


def write(by, minutes, *, subject="case", reference=NUMBER, number=NUMBER, granted=True, **more):
    write_access_entry(
        by=by,
        subject=subject,
        reference=reference,
        case_number=number,
        granted=granted,
        at=NOW - timedelta(days=1) + timedelta(minutes=minutes),
        **more,
    )


@pytest.fixture
def clerk():
    return person(Role.INTAKE, name="Ben Akande")


@pytest.fixture
def auditor(client):
    user = person(Role.AUDITOR)
    client.force_login(user)
    return user


def visits_of(auditor, **chosen):
    return list_visits(find_entries(AccessFilter(**chosen), auditor), auditor)[0]


@pytest.mark.every_database
def test_a_break_of_half_an_hour_begins_another_visit(auditor, clerk):
    for minutes in (0, 10, 35, 66, 96):
        write(clerk, minutes)
    later, earlier = visits_of(auditor)[1], visits_of(auditor)[2]
    assert [visit.opened for visit in visits_of(auditor)] == [1, 1, 3]
    assert earlier.ended_at - earlier.began_at == timedelta(minutes=35)
    assert later.case_number == NUMBER


@pytest.mark.every_database
def test_visits_of_two_people_and_two_cases_do_not_mix(auditor, clerk):
    other = person(Role.QA, name="Cora Lind")
    for minutes in range(4):
        write(clerk, minutes)
        write(other, minutes)
        write(clerk, minutes, reference="CM26-0000010", number="CM26-0000010")
    assert sorted((one.who, one.case_number, one.opened) for one in visits_of(auditor)) == [
        ("Ben Akande", NUMBER, 4),
        ("Ben Akande", "CM26-0000010", 4),
        ("Cora Lind", NUMBER, 4),
    ]


def test_the_pages_of_a_document_are_one_thing(auditor, clerk):
    for page in (1, 2, 3, 5):
        write(clerk, page, subject="page", reference=f"999/{page}")
    assert visits_of(auditor)[0].things == ["pages 1–3, 5 of a document that does not exist"]


def test_refusals_are_counted_beside_the_pages_opened(auditor, clerk):
    write(clerk, 0)
    write(clerk, 1, granted=False)
    visit = visits_of(auditor)[0]
    assert (visit.opened, visit.refused) == (1, 1)
    assert visits_of(auditor, refused=True)[0].opened == 0


def test_a_case_number_also_finds_the_lists_that_showed_the_case(auditor, clerk):
    write(clerk, 0, subject="list", reference="intake", number="", shown=f"CM26-0000001 {NUMBER}")
    assert visits_of(auditor, number=NUMBER)
    assert visits_of(auditor, number="CM26-0000001")
    assert not visits_of(auditor, number="CM26-0000002")


@pytest.mark.every_database
def test_older_visits_are_on_the_next_page_once(auditor, clerk):
    for visit in range(PAGE + 5):
        write(clerk, visit * 31)
    rows = find_entries(AccessFilter(person=str(clerk.pk)), auditor)
    first, older = list_visits(rows, auditor)
    second, oldest = list_visits(rows, auditor, before=int(older))
    assert (len(first), len(second), oldest) == (PAGE, 5, "")
    began = [visit.began_at for visit in (*first, *second)]
    assert began == sorted(set(began), reverse=True)


def test_the_page_filters_by_person_day_and_kind(client, auditor, clerk):
    other = person(Role.QA, name="Cora Lind")
    write(clerk, 0)
    write(other, 0, subject="letter", reference=f"{NUMBER}-1.pdf")
    yesterday = timezone.localdate(AccessLogEntry.objects.earliest("pk").accessed_at)

    def page(**query):
        return client.get(ACCESSES, query).content.decode()

    assert "<b>Ben Akande</b>" in page()
    assert "<b>Ben Akande</b>" not in page(person=other.pk)
    assert "<b>Ben Akande</b>" not in page(subject="letter")
    assert "<b>Cora Lind</b>" in page(subject="letter")
    assert "<b>Ben Akande</b>" in page(first_day=f"{yesterday:%m/%d/%Y}", number=NUMBER)
    before = yesterday - timedelta(days=1)
    assert "<b>Ben Akande</b>" not in page(last_day=f"{before:%m/%d/%Y}")


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"first_day": "3/5/2026", "last_day": "3/2/2026"}, "last_day", "The period ends before"),
        ({"first_day": "soon"}, "first_day", "“soon”"),
        ({"last_day": "12/31/9999"}, "last_day", "Check the year."),
    ],
)
def test_a_period_that_cannot_be_is_refused_beside_the_field(client, auditor, asked, field, says):
    case = received_case()
    for url in (ACCESSES, reverse("desk:access_log", args=[case.number])):
        answer = client.get(url, asked)
        assert answer.status_code == 422
        _, _, beside = answer.content.decode().partition(f'id="of_{field}_error">')
        assert says in beside[:200]
    # A file with other rows than asked for would mislead: the page says what is wrong.
    export = client.get(reverse("desk:export_accesses"), asked, follow=True)
    assert export.redirect_chain[0][0].startswith(ACCESSES)
    assert says in export.content.decode()


def test_the_filter_by_person_does_not_name_a_reviewer(client, auditor):
    reviewer = person(Role.REVIEWER, name="Xerxes Secret")
    write(reviewer, 0)
    page = client.get(ACCESSES, {"person": "reviewers"}).content.decode()
    assert "<b>The reviewer</b>" in page
    assert "Xerxes" not in page
    page = client.get(ACCESSES, {"person": reviewer.pk}).content.decode()
    assert "Select a valid choice" in page


def test_the_export_has_a_row_for_each_entry_and_names_no_reviewer(client, auditor, clerk):
    write(clerk, 0, page="cases:parties")
    write(person(Role.REVIEWER, name="Xerxes Secret"), 1)
    answer = client.get(reverse("desk:export_accesses"), {"number": NUMBER})
    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert [(row["Person"], row["Page"]) for row in rows] == [
        ("Ben Akande", "cases:parties"),
        ("The reviewer", ""),
    ]
    assert AccessLogEntry.objects.filter(user=auditor, page="desk:export_accesses").exists()


def test_a_case_page_says_which_page_was_opened(client, auditor):
    case = received_case()
    client.get(reverse("cases:parties", args=[case.number]))
    page = client.get(reverse("desk:access_log", args=[case.number])).content.decode()
    assert "the case: parties" in page


def test_pieces_of_one_answer_are_one_entry_a_minute(client, auditor, monkeypatch):
    from django.http import HttpResponse

    case = received_case()
    monkeypatch.setattr(
        "desk.views.render", lambda *args, **more: HttpResponse("piece", status=206)
    )
    for _ in range(3):
        client.get(case.get_absolute_url())
    assert AccessLogEntry.objects.filter(user=auditor, reference=case.number).count() == 1


def test_a_name_typed_as_a_case_number_is_not_stored(client, auditor):
    client.get("/cases/Marisol-Quintanar/")
    entry = AccessLogEntry.objects.get(user=auditor)
    assert (entry.reference, entry.case_number, entry.granted) == ("unknown", "", False)


@pytest.mark.capability("RC-9")
@pytest.mark.every_database
def test_a_list_that_also_showed_a_restricted_case_stays_on_record_without_it(
    client, auditor, clerk
):
    hidden, other = received_case(), received_case()
    director = person(Role.DIRECTOR)
    restrictions.restrict_case(
        case_id=hidden.pk, ground="PUBLIC", reason="A senator", by=director, at=NOW
    )
    both = f"{hidden.number} {other.number}"
    write(clerk, 0, subject="list", reference="intake", number="", shown=both)
    write(clerk, 1, reference=f"{other.number}/{hidden.number}", number=other.number)
    write(clerk, 2, reference=hidden.number, number=hidden.number)

    assert sum(visit.opened for visit in visits_of(auditor, number=other.number)) == 2
    assert visits_of(auditor, number=hidden.number) == []
    assert len(visits_of(director, number=hidden.number)) == 2
    page = client.get(ACCESSES, {"person": clerk.pk}).content.decode()
    assert "1 case" in page
    exported = client.get(reverse("desk:export_accesses"), {"person": clerk.pk})
    rows = list(csv.DictReader(exported.getvalue().decode().splitlines()))
    assert [(row["Reference"], row["Cases shown"]) for row in rows] == [
        ("intake", other.number),
        (f"{other.number}/another case", ""),
    ]
    for text in (page, exported.getvalue().decode()):
        assert hidden.number not in text
