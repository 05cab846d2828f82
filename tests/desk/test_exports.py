"""Lists as CSV: what the page shows, for whom it is shown, at once or in the background."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.roles import PERMISSIONS, Role
from cases.models import Party, PartyRole
from cases.services import item_changes, restrictions
from desk import exports
from desk.tasks import write_exports
from files.csv_rows import MARK, write_csv_lines
from intake.services.receiving import ItemOnForm
from jobs import services
from jobs.models import ListExport, ListExportPart
from queues.services import claims
from tests.factories import MONDAY, eligible_case, noticed_case, parties, person, received_case
from tests.reviewers.factories import fit_reviewer

pytestmark = pytest.mark.django_db

FORMULA = "=HYPERLINK(0)"


@pytest.fixture(scope="module")
def cases(module_db):
    names = ["Ana Núñez", "Bo Li", "Cy Reyes"]
    first = [received_case(parties=parties(EMPLOYEE=name)) for name in names[:2]]
    third = received_case(
        parties=parties(EMPLOYEE=names[2]), items=[ItemOnForm(title=FORMULA), ItemOnForm("Brace")]
    )
    noticed_case()
    eligible_case()
    fit_reviewer(first_name="Zebulon", last_name="Quartermain")
    return [*first, third]


@pytest.fixture
def desk(client, set_clock):
    set_clock(MONDAY)
    client.force_login(person(Role.COORDINATOR))
    return client


def export(client, name, **query):
    return client.get(reverse("desk:export_list", args=[name]), query)


def rows_of(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith(MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK))))


def links_on(client, address, **query):
    page = client.get(address, query).content.decode()
    return re.findall(r'href="([^"]+)"\s*>Export CSV', page)


def test_values_that_a_spreadsheet_would_run_are_text():
    signs = ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "plain", None, 3]
    lines = "".join(write_csv_lines([signs], headings=["A"] * len(signs)))
    _, row = csv.reader(io.StringIO(lines.removeprefix(MARK), newline=""))
    assert row == ["'=1+1", "'+1", "'-1", "'@SUM(1)", "'\tx", "'\rx", "plain", "", "3"]


def test_a_queue_is_exported_as_its_page_shows_it(desk, cases):
    address = reverse("desk:queue", args=["eligibility"])
    shown = [row.case.number for row in desk.get(address, {"sort": "received"}).context["rows"]]
    (link,) = links_on(desk, address, sort="received")

    rows = rows_of(desk.get(link.replace("&amp;", "&")))
    assert [row["Case"] for row in rows] == shown
    by_name = {row["Injured worker"]: row for row in rows}
    assert by_name["Ana Núñez"]["Stage"] == "Screening"
    assert by_name["Ana Núñez"]["Claims administrator"] == "Pacific Comp Claims"
    assert by_name["Cy Reyes"]["Disputed treatment"] == f"'{FORMULA}; Brace"
    assert "Received by" not in rows[0]  # intake's column


def test_the_filter_of_the_list_is_that_of_the_file(desk, cases):
    (link,) = links_on(desk, reverse("desk:queue", args=["eligibility"]), q="reyes")
    assert [row["Injured worker"] for row in rows_of(desk.get(link.replace("&amp;", "&")))] == [
        "Cy Reyes"
    ]


def test_all_pages_of_a_list_are_in_the_file(desk, cases, monkeypatch):
    monkeypatch.setattr(exports.queues, "PAGE", 1)
    assert len(rows_of(export(desk, "queue", list="eligibility"))) == 3
    monkeypatch.setattr("desk.party_pages.PAGE", 1)
    organization = Party.objects.filter(role=PartyRole.CLAIMS_ADMINISTRATOR)[0].organization_id
    assert len(rows_of(export(desk, "organization", organization_id=organization))) == 5


@pytest.mark.parametrize(
    ("name", "page", "column"),
    [
        ("outstanding-records", "records:outstanding", "Claims administrator"),
        ("letters-to-review", "correspondence:drafts", "Letter"),
        ("letters-to-send", "correspondence:to_send", None),
        ("reviewers", "reviewers:panel", "Name"),
    ],
)
def test_every_list_has_its_link_and_its_file(desk, cases, name, page, column):
    (link,) = links_on(desk, reverse(page))
    rows = rows_of(desk.get(link.replace("&amp;", "&")))
    assert bool(rows) is bool(column)
    if column:
        assert all(row[column] for row in rows)


def test_work_that_waits_is_exported_with_its_reasons(client, cases, set_clock):
    set_clock(MONDAY)
    coordinator, director = person(Role.COORDINATOR), person(Role.SUPERVISOR, Role.DIRECTOR)
    eligible = eligible_case(coordinator=coordinator)
    item_changes.propose_item(
        case_id=eligible.pk, facts=item_changes.ItemValues(title="Back brace"), why="On page 2",
        by=coordinator, at=MONDAY,
    )  # fmt: skip
    claims.skip_case(case_id=cases[0].pk, reason="A long record", by=coordinator, at=MONDAY)
    restrictions.restrict_case(
        case_id=cases[1].pk, ground="OTHER", reason="A relative", by=director, at=MONDAY
    )
    client.force_login(director)
    for name, page, texts in (
        ("item-changes", "cases:item_changes", ["Back brace", "On page 2"]),
        ("skipped-cases", "queues:skipped", ["A long record"]),
        ("restricted-cases", "cases:restricted_cases", ["A relative", cases[1].number]),
    ):
        (link,) = links_on(client, reverse(page))
        (row,) = rows_of(client.get(link))
        assert all(text in row.values() for text in texts), (name, row)
    pairs = rows_of(export(client, "possible-duplicates"))
    assert all("injured worker’s name is the same" in pair["Evidence for"] for pair in pairs)
    assert len(pairs) == len(client.get(reverse("cases:possible_duplicates")).context["rows"]) > 0


def test_the_cases_of_a_worker_are_exported_from_the_page_of_the_worker(desk, cases):
    worker = Party.objects.get(case=cases[0], role=PartyRole.EMPLOYEE)
    (link,) = links_on(desk, reverse("desk:person", args=[worker.person_id]))
    assert [row["Case"] for row in rows_of(desk.get(link))] == [cases[0].number]


@pytest.mark.parametrize("name", sorted(exports.LISTS))
def test_a_list_is_exported_by_exactly_those_who_open_its_page(client, cases, name):
    worker = Party.objects.get(case=cases[0], role=PartyRole.EMPLOYEE)
    organization = Party.objects.get(case=cases[0], role=PartyRole.CLAIMS_ADMINISTRATOR)
    query = {
        "queue": {"list": "eligibility"},
        "person": {"person_id": worker.person_id},
        "organization": {"organization_id": organization.organization_id},
    }.get(name, {})
    permission = {
        "outstanding-records": "records.log_reminder",
        "letters-to-review": "correspondence.review_drafts",
        "letters-to-send": "letters.mark_sent",
        "reviewers": "reviewers.view_identity",
        "possible-duplicates": "cases.resolve_possible_duplicate",
        "item-changes": "cases.decide_item_change",
        "skipped-cases": "queues.view_skips",
        "restricted-cases": "cases.restrict_case",
    }.get(name, "cases.view_case")
    for role in Role:
        client.force_login(person(role))
        may = role in PERMISSIONS[permission]
        assert export(client, name, **query).status_code == (200 if may else 403), role


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("no-such-list", {}),
        ("queue", {}),
        ("queue", {"list": "nothing"}),
        ("person", {"person_id": "x"}),
        ("person", {"person_id": "9" * 30}),
        ("organization", {}),
    ],
)
def test_a_list_that_is_none_is_not_found(desk, name, query):
    assert export(desk, name, **query).status_code == 404


def test_a_restricted_case_is_in_no_file(desk, cases):
    supervisor = person(Role.SUPERVISOR)
    restrictions.restrict_case(
        case_id=cases[0].pk, ground="OTHER", reason="A relative", by=supervisor, at=MONDAY
    )
    worker = Party.objects.get(case=cases[0], role=PartyRole.EMPLOYEE)
    numbers = {row["Case"] for row in rows_of(export(desk, "queue", list="eligibility"))}
    assert cases[0].number not in numbers
    assert cases[1].number in numbers
    assert export(desk, "person", person_id=worker.person_id).status_code == 404


def test_an_export_is_in_the_access_log_with_every_case(desk, cases):
    numbers = {row["Case"] for row in rows_of(export(desk, "queue", list="eligibility"))}
    entry = AccessLogEntry.objects.filter(subject="export").latest("pk")
    assert set(entry.shown.split()) == numbers
    assert entry.reference == "queue"


# --- In the background ----------------------------------------------------------------------------


@pytest.fixture
def long_lists(monkeypatch):
    """Two cases are a long list, and a page has one."""
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    monkeypatch.setattr(exports.queues, "PAGE", 1)


def request_file(client, **query):
    address = reverse("desk:request_export", args=["queue"])
    return client.post(f"{address}?list=eligibility")


def test_a_long_list_is_written_in_the_background(desk, cases, long_lists):
    page = export(desk, "queue", list="eligibility")
    assert "about 3 rows" in page.content.decode()
    assert not ListExport.objects.exists()  # nothing is stored by looking

    assert request_file(desk).url == reverse("desk:exports")
    waiting = desk.get(reverse("desk:exports")).content.decode()
    assert "Waiting to start" in waiting
    assert "0 of about 3 rows" in waiting

    write_exports()
    ready = desk.get(reverse("desk:exports")).content.decode()
    (link,) = re.findall(r'href="(/exports/\d+/file.csv)"', ready)
    assert len(rows_of(desk.get(link))) == 3
    entry = AccessLogEntry.objects.filter(page="desk:download_export").latest("pk")
    assert len(entry.shown.split()) == 3


def test_a_run_that_is_cut_off_is_continued_by_the_next(desk, cases, long_lists, monkeypatch):
    request_file(desk)
    monkeypatch.setattr("desk.tasks.LONGEST_RUN", timedelta(0))
    write_exports()
    monkeypatch.setattr("desk.tasks.LONGEST_RUN", timedelta(minutes=1))
    export_row = ListExport.objects.get()
    reader = export_row.requested_by
    lines, rows, key = exports.read_part(export_row, reader, at=MONDAY)
    services.add_export_part(export=export_row, lines=lines, rows=rows, next_key=key, at=MONDAY)
    assert 0 < ListExport.objects.get().percent < 100
    assert "1 of about 3 rows" in desk.get(reverse("desk:exports")).content.decode()

    write_exports()
    link = reverse("desk:download_export", args=[export_row.pk])
    numbers = [row["Case"] for row in rows_of(desk.get(link))]
    assert len(numbers) == len(set(numbers)) == 3


def test_a_file_is_for_the_person_who_asked(desk, client, cases, long_lists):
    request_file(desk)
    write_exports()
    link = reverse("desk:download_export", args=[ListExport.objects.get().pk])
    client.force_login(person(Role.COORDINATOR))
    assert client.get(link).status_code == 404
    assert "No exported lists." in client.get(reverse("desk:exports")).content.decode()


def test_a_file_with_a_case_that_was_restricted_since_is_not_given_out(desk, cases, long_lists):
    request_file(desk)
    write_exports()
    restrictions.restrict_case(
        case_id=cases[0].pk, ground="OTHER", reason="x", by=person(Role.SUPERVISOR), at=MONDAY
    )
    answer = desk.get(reverse("desk:download_export", args=[ListExport.objects.get().pk]))
    assert answer.url == reverse("desk:exports")
    assert "was restricted since" in desk.get(answer.url).content.decode()


def test_who_lost_the_role_gets_no_file(client, cases, long_lists, set_clock):
    set_clock(MONDAY)
    clerk = person(Role.INTAKE)
    client.force_login(clerk)
    request_file(client)
    clerk.is_active = False
    clerk.save(update_fields=["is_active"])
    write_exports()
    failed = ListExport.objects.get()
    assert failed.state == ListExport.State.FAILED
    assert "may not open" in failed.error
    assert not ListExportPart.objects.exists()


def test_asking_twice_makes_one_file_and_too_many_are_refused(desk, cases, long_lists):
    for _ in range(2):
        request_file(desk)
    assert ListExport.objects.count() == 1
    reader = ListExport.objects.get().requested_by
    for number in range(services.MOST_EXPORTS_WAITING - 1):
        services.request_export(
            name="queue", label="x", query=f"q={number}", rows_expected=1, by=reader, at=MONDAY
        )
    address = reverse("desk:request_export", args=["letters-to-review"])
    refused = desk.post(address)
    assert refused.status_code == 422
    assert "Wait for one of them." in refused.content.decode()


def test_an_error_ends_its_list_and_not_the_others(desk, cases, long_lists, monkeypatch):
    request_file(desk)
    services.request_export(
        name="letters-to-review", label="Letters", query="", rows_expected=1,
        by=ListExport.objects.get().requested_by, at=MONDAY,
    )  # fmt: skip
    broken = exports.LISTS["queue"]
    monkeypatch.setitem(
        exports.LISTS,
        "queue",
        exports.ExportedList(
            broken.label, broken.route, broken.headings, lambda *_: 1 / 0, broken.count
        ),
    )
    write_exports()
    assert [one.state for one in ListExport.objects.order_by("pk")] == ["FAILED", "READY"]


def test_a_file_is_deleted_after_a_day(desk, cases, long_lists, set_clock):
    request_file(desk)
    write_exports()
    set_clock(MONDAY + timedelta(hours=25))
    write_exports()
    assert ListExport.objects.get().state == ListExport.State.DELETED
    assert not ListExportPart.objects.exists()
