"""The pages of the records, by HTTP: what they show, what they refuse, and in what words."""

import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from accounts.models import AccessLogEntry
from accounts.roles import Role
from cases.lifecycle import Status
from deadlines.days import local_day
from desk.templatetags.page_tags import format_day
from records.models import ReadMark
from records.services import dispatch
from tests.factories import MONDAY, noticed_case, person

from .factories import (
    add_record,
    case_with_records,
    make_offered_case,
    make_upload,
    new_party,
    pdf_bytes,
    sign_attestation,
)
from .test_adding import stored_paper

pytestmark = pytest.mark.django_db

RECEIVED = f"{local_day(MONDAY):%m/%d/%Y}"


@pytest.fixture
def coordinator(client):
    user = person(Role.COORDINATOR)
    client.force_login(user)
    return user


def make_form_data(**changes):
    return {
        "kind": "PROGRESS_REPORT",
        "title": "Progress report of June",
        "author": "Dana Oyelaran, M.D.",
        "dated_from": "2/6/26",
        "dated_to": "",
        "sent_by": "CLAIMS_ADMINISTRATOR",
        "received_on": RECEIVED,
        "upload": make_upload(),
    } | changes


def post_record(client, case, **changes):
    return client.post(reverse("records:add", args=[case.number]), make_form_data(**changes))


def remove_csrf_token(answer):
    """A page without its form token, which differs at every request."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", answer.content)


def record_urls(case):
    """Every address under which something of a case's records is shown or marked."""
    document = case.documents.order_by("-number").first()
    of_case = ["list", "read"]
    return [reverse(f"records:{name}", args=[case.number]) for name in of_case] + [
        reverse("records:document", args=[document.pk]),
        reverse("records:page", args=[document.pk, 1]),
        reverse("records:page_text", args=[document.pk, 1]),
        reverse("records:page_png", args=[document.pk, 1]),
    ]


def absent_urls():
    return [
        reverse("records:list", args=["CM26-9999999"]),
        reverse("records:read", args=["CM26-9999999"]),
        reverse("records:document", args=[987654]),
        reverse("records:page", args=[987654, 1]),
        reverse("records:page_text", args=[987654, 1]),
        reverse("records:page_png", args=[987654, 1]),
    ]


# --- taking records in -----------------------------------------------------------------------


def test_a_record_is_added_and_listed(client, coordinator, awaiting):
    answer = post_record(client, awaiting, upload=make_upload(pages=3))

    assert answer.status_code == 302
    page = client.get(answer.url).content.decode()
    document = awaiting.documents.get()
    assert document.pages == 3
    assert document.dated_from == datetime(2026, 2, 6).date()
    for shown in ("Progress report of June", "Dana Oyelaran", "Claims administrator", "3 pages"):
        assert shown in page


def test_a_double_click_stores_one_document_and_reports_it(client, coordinator, awaiting):
    content = pdf_bytes()
    first = post_record(client, awaiting, upload=make_upload("a.pdf", content))
    second = post_record(client, awaiting, upload=make_upload("a.pdf", content))

    assert (first.status_code, second.status_code) == (302, 422)
    assert awaiting.documents.count() == 1
    assert "already on file as document 1" in second.content.decode()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("locked.pdf", pdf_bytes(text="secret", password="hunter2"), "password"),
        ("letter.docx", b"PK\x03\x04 a word processor's file", "not a PDF"),
        ("big.pdf", pdf_bytes() + b"\n%" + b"0" * 1024 * 1024, "larger than 1 MB"),
        ("blank.pdf", b"", "empty"),
    ],
)
def test_a_refused_file_is_named_on_the_page_and_nothing_typed_is_lost(
    client, coordinator, settings, name, content, sentence, awaiting
):
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    answer = post_record(
        client, awaiting, upload=make_upload(name, content), title="Kept as typed <b>"
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="Kept as typed &lt;b&gt;"' in page
    assert 'value="2/6/26"' in page
    assert not awaiting.documents.exists()


def test_a_missing_file_and_a_bad_date_are_both_reported_at_once(client, coordinator, awaiting):
    answer = post_record(client, awaiting, upload="", dated_from="31/31/2026")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose the file." in page
    assert "does not exist in the calendar" in page


@pytest.mark.parametrize("field", ["title", "author"])
def test_text_that_cannot_be_stored_is_refused(client, coordinator, field, awaiting):
    for text in ("x" * 1_000_000, "bad\x00byte"):
        answer = post_record(client, awaiting, **{field: text})
        assert answer.status_code == 422
    assert not awaiting.documents.exists()


def test_a_future_day_of_receipt_is_refused(client, coordinator, awaiting):
    answer = post_record(client, awaiting, received_on="1/1/2099")
    assert answer.status_code == 422
    assert "in the future" in answer.content.decode()


def test_the_page_explains_why_nothing_can_be_added_before_the_notice(client, coordinator):
    from tests.factories import eligible_case

    case = eligible_case()
    page = client.get(reverse("records:list", args=[case.number])).content.decode()
    assert "To add a record, it must be in" in page
    assert post_record(client, case).status_code == 422


# --- the end of the waiting -----------------------------------------------------------------


def mark_complete(client, case, **changes):
    data = {"basis": "COMPLETE", "received_on": RECEIVED, "version": case.version} | changes
    return client.post(reverse("records:complete", args=[case.number]), data)


def test_the_coordinator_marks_the_records_complete(client, coordinator, incomplete_file):
    assert mark_complete(client, incomplete_file).status_code == 302
    incomplete_file.refresh_from_db()
    assert incomplete_file.stage == Status.RECORDS_COMPLETE


def test_ur_documents_alone_are_refused_on_the_page(client, coordinator):
    case = noticed_case(papers=[stored_paper("the denial")])
    answer = mark_complete(client, case)
    assert answer.status_code == 422
    assert "Only the application and the UR decision are on file" in answer.content.decode()
    case.refresh_from_db()
    assert case.stage == Status.NOTICE_SENT


def test_a_stale_form_is_409_and_keeps_what_was_typed(client, coordinator, incomplete_file):
    answer = mark_complete(
        client, incomplete_file, version=incomplete_file.version - 1, received_on="3/2/26"
    )
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Someone else changed this" in page
    assert 'value="3/2/26"' in page


def test_an_expedited_case_asks_for_the_hour(client, coordinator):
    case = case_with_records(complete=False, priority="EXPEDITED")
    page = client.get(reverse("records:list", args=[case.number])).content.decode()
    assert 'name="received_time"' in page
    refused = mark_complete(client, case)
    assert refused.status_code == 422
    assert "Enter the time of receipt" in refused.content.decode()
    assert mark_complete(client, case, received_time="8:30").status_code == 302


def test_completing_twice_is_refused_without_harm(client, coordinator, incomplete_file):
    mark_complete(client, incomplete_file)
    assert mark_complete(client, incomplete_file).status_code in {409, 422}
    assert incomplete_file.events.filter(kind="RECORDS_COMPLETE").count() == 1


def test_a_complete_file_is_reopened_with_a_reason(client, coordinator, complete_file):
    url = reverse("records:reopen", args=[complete_file.number])
    assert client.post(url, {"reason": "", "version": complete_file.version}).status_code == 422
    assert (
        client.post(url, {"reason": "No RFA.", "version": complete_file.version}).status_code == 302
    )
    complete_file.refresh_from_db()
    assert complete_file.stage == Status.NOTICE_SENT


@pytest.mark.parametrize("role", [Role.QA, Role.DIRECTOR, Role.AUDITOR, Role.REVIEWER])
def test_only_roles_that_work_with_records_may_act_on_them(client, role, incomplete_file):
    client.force_login(person(role))
    for name in ("add", "complete", "reopen", "dispatch"):
        answer = client.post(
            reverse(f"records:{name}", args=[incomplete_file.number]), make_form_data()
        )
        assert answer.status_code == 403, name
    incomplete_file.refresh_from_db()
    assert incomplete_file.stage == Status.NOTICE_SENT


# --- who may open what -----------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.QA, Role.DIRECTOR, Role.AUDITOR])
def test_staff_open_every_page(client, role, complete_file):
    client.force_login(person(role))
    for url in record_urls(complete_file):
        assert client.get(url).status_code == 200, url


def test_a_reviewer_before_the_attestation_gets_404_everywhere(client, complete_file):
    assignment = make_offered_case(complete_file)
    client.force_login(assignment.reviewer.user)
    for url in record_urls(assignment.case):
        assert client.get(url).status_code == 404, url
    document = assignment.case.documents.first()
    marked = client.post(reverse("records:mark", args=[document.pk]), {"mark": "REVIEWED"})
    assert marked.status_code == 404
    assert not ReadMark.objects.exists()


def test_after_the_attestation_every_page_opens(client, under_review):
    client.force_login(under_review.reviewer.user)
    for url in record_urls(under_review.case):
        assert client.get(url).status_code == 200, url


def test_a_new_party_closes_every_page(client, under_review):
    new_party(under_review.case, at=MONDAY + timedelta(days=2))
    client.force_login(under_review.reviewer.user)
    for url in record_urls(under_review.case):
        assert client.get(url).status_code == 404, url
    sign_attestation(under_review, at=MONDAY + timedelta(days=2, hours=1))
    assert client.get(record_urls(under_review.case)[0]).status_code == 200


def test_hidden_records_look_exactly_like_missing_ones(client, complete_file):
    client.force_login(person(Role.REVIEWER))
    for hidden, absent in zip(record_urls(complete_file), absent_urls(), strict=True):
        one, other = client.get(hidden), client.get(absent)
        assert (one.status_code, remove_csrf_token(one)) == (404, remove_csrf_token(other)), hidden
        assert set(one.headers) == set(other.headers)


def test_intake_sees_the_list_and_opens_only_the_documents_of_the_application(client):
    case = case_with_records(pages=(1,), papers=[stored_paper("the denial")])
    decision, report = case.documents.order_by("number")
    client.force_login(person(Role.INTAKE))

    page = client.get(reverse("records:list", args=[case.number])).content.decode()

    assert reverse("records:document", args=[decision.pk]) in page
    assert reverse("records:document", args=[report.pk]) not in page
    assert client.get(reverse("records:page_png", args=[decision.pk, 1])).status_code == 200
    assert client.get(reverse("records:page_png", args=[report.pk, 1])).status_code == 404


def test_every_page_is_recorded_in_the_access_log_and_every_refusal_too(client, complete_file):
    for role, granted in ((Role.AUDITOR, True), (Role.REVIEWER, False)):
        user = person(role)
        client.force_login(user)
        for url in record_urls(complete_file):
            before = AccessLogEntry.objects.filter(user=user).count()
            client.get(url)
            entries = AccessLogEntry.objects.filter(user=user)
            assert entries.count() == before + 1, url
            assert entries.latest("pk").granted is granted, url


def test_no_look_no_bytes(client, coordinator, monkeypatch, complete_file):
    client.raise_request_exception = False

    def full_disk(**entry):
        raise OSError("No space left on device")

    monkeypatch.setattr("accounts.services.write_access_entry", full_disk)
    for url in record_urls(complete_file):
        answer = client.get(url)
        assert answer.status_code == 503, url
        assert "Report 2" not in answer.content.decode()


# --- what a page shows ------------------------------------------------------------------------


def test_the_picture_of_a_page_can_do_nothing_and_is_kept_nowhere(client, coordinator, two_pages):
    document = two_pages.documents.get()
    answer = client.get(reverse("records:page_png", args=[document.pk, 2]))
    assert answer.content.startswith(b"\x89PNG")
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == (f'inline; filename="record-{document.pk}-page-2.png"')
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_a_page_is_plain_html_with_its_picture_and_a_link_to_its_text(client, coordinator):
    document = case_with_records(pages=(3,)).documents.get()
    page = client.get(reverse("records:page", args=[document.pk, 2])).content.decode()
    assert f'src="{reverse("records:page_png", args=[document.pk, 2])}"' in page
    assert reverse("records:page_text", args=[document.pk, 2]) in page
    assert reverse("records:page", args=[document.pk, 1]) in page
    assert reverse("records:page", args=[document.pk, 3]) in page


def test_the_text_of_a_page_is_always_shown_as_text(client, coordinator, one_page):
    document = add_record(one_page, text="<script>alert(1)</script> and {{ x }}")
    page = client.get(reverse("records:page_text", args=[document.pk, 1])).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and {{ x }}" in page


def test_pages_count_through_the_whole_record(client, coordinator, complete_file):
    first, second = complete_file.documents.order_by("number")
    url = reverse("records:read", args=[complete_file.number])

    viewer = client.get(url, {"p": 4}).context["viewer"]

    assert viewer.total == 5
    assert [row.pages for row in viewer.rows] == ["1–3", "4–5"]
    assert (viewer.row.document, viewer.page_in_document) == (second, 1)
    assert viewer.previous_url.endswith("?p=3")
    assert viewer.next_url.endswith("?p=5")
    page = client.get(url, {"p": 4}).content.decode()
    assert f'src="{reverse("records:page_png", args=[second.pk, 1])}"' in page


@pytest.mark.parametrize(
    ("asked", "shown"), [("812", 5), ("0", 1), ("-3", 1), ("x", 1), ("9" * 400, 1), ("", 1)]
)
def test_a_page_outside_the_record_leads_to_one_inside(
    client, coordinator, asked, shown, complete_file
):
    url = reverse("records:read", args=[complete_file.number])
    assert client.get(url, {"p": asked}).context["viewer"].page == shown


def test_the_viewer_opens_at_the_first_document_that_was_not_opened(client, under_review):
    first = under_review.case.documents.order_by("number").first()
    client.force_login(under_review.reviewer.user)
    client.get(reverse("records:page_png", args=[first.pk, 1]))

    viewer = client.get(reverse("records:read", args=[under_review.case.number])).context["viewer"]

    assert (viewer.page, viewer.opened) == (4, 1)


def test_the_viewer_comes_back_to_the_page_shown_last(client, coordinator, complete_file):
    case, other = complete_file, case_with_records(pages=(3, 2))
    for number, page in ((case.number, 4), (other.number, 2)):
        client.get(reverse("records:read", args=[number]), {"p": page})
    shown = client.get(reverse("records:read", args=[case.number])).context["viewer"]
    assert shown.page == 4


def test_the_jump_form_takes_a_typed_space(client, coordinator, complete_file):
    url = reverse("records:read", args=[complete_file.number])
    assert client.get(url, {"p": " 4"}).context["viewer"].page == 4


def test_no_two_fields_of_the_page_share_an_id(client, coordinator, incomplete_file):
    page = client.get(reverse("records:list", args=[incomplete_file.number])).content.decode()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))


def test_the_reviewer_marks_a_document_and_comes_back(client, one_page_under_review):
    document = one_page_under_review.case.documents.get()
    client.force_login(one_page_under_review.reviewer.user)
    back = reverse("records:read", args=[one_page_under_review.case.number]) + "?p=1"

    answer = client.post(
        reverse("records:mark", args=[document.pk]), {"mark": "NOT_RELEVANT", "back": back}
    )

    assert (answer.status_code, answer.url) == (302, back)
    assert ReadMark.objects.get().mark == "NOT_RELEVANT"
    assert "not relevant" in client.get(back).content.decode()


def test_no_form_redirects_to_another_site(client, one_page_under_review):
    document = one_page_under_review.case.documents.get()
    client.force_login(one_page_under_review.reviewer.user)
    url = reverse("records:mark", args=[document.pk])
    answer = client.post(url, {"mark": "REVIEWED", "back": "https://elsewhere.example/"})
    assert answer.url == reverse("records:document", args=[document.pk])


def test_an_unknown_mark_is_refused_with_a_link_back(client, one_page_under_review):
    client.force_login(one_page_under_review.reviewer.user)
    document = one_page_under_review.case.documents.get()
    url = reverse("records:mark", args=[document.pk])

    plain = client.post(url, {"mark": "SKIMMED"})
    part = client.post(url, {"mark": "SKIMMED"}, headers={"HX-Request": "true"})

    for answer in (plain, part):
        assert answer.status_code == 422
        assert "Choose reviewed or not relevant." in answer.content.decode()
        assert reverse("records:document", args=[document.pk]) in answer.content.decode()
    assert part.headers["HX-Retarget"] == part.headers["HX-Reselect"] == "#main"
    assert "HX-Retarget" not in plain.headers


def test_the_coordinator_sees_that_the_reviewer_lacks_a_record_and_sends_it(
    client, coordinator, under_review
):
    reviewer = under_review.reviewer.user
    dispatch.dispatch_case_file(
        assignment_id=under_review.pk, by=reviewer, at=MONDAY + timedelta(days=1)
    )
    add_record(under_review.case, at=MONDAY + timedelta(days=2))
    url = reverse("records:list", args=[under_review.case.number])
    assert "Records were added after the case file was sent" in client.get(url).content.decode()

    answer = client.post(
        reverse("records:dispatch", args=[under_review.case.number]),
        {"assignment": under_review.pk},
    )

    assert answer.status_code == 302
    assert dispatch.is_dispatch_current(under_review)
    assert "Records were added after" not in client.get(url).content.decode()


def test_the_page_shows_who_was_asked_and_what_arrived(client, coordinator, awaiting):
    add_record(awaiting)
    page = client.get(reverse("records:list", args=[awaiting.number])).content.decode()
    assert "Pacific Comp Claims" in page
    assert "1 document received" in page
    assert "Optional, nothing received" in page


def test_an_empty_file_shows_since_when_records_are_outstanding(client, coordinator, awaiting):
    page = client.get(reverse("records:list", args=[awaiting.number])).content.decode()
    assert f"No records yet. Requested {format_day(awaiting.assigned_on)}" in " ".join(page.split())


def test_the_list_of_many_records_takes_no_more_queries(
    client, coordinator, django_assert_max_num_queries
):
    case = case_with_records(pages=(1,) * 12)
    assert case.documents.count() == 12
    url = reverse("records:list", args=[case.number])
    client.get(url)
    with django_assert_max_num_queries(40):
        client.get(url)


def test_no_page_of_the_records_names_the_reviewer(client, under_review):
    reviewer = under_review.reviewer
    dispatch.dispatch_case_file(
        assignment_id=under_review.pk, by=reviewer.user, at=MONDAY + timedelta(days=1)
    )
    for role in (Role.INTAKE, Role.AUDITOR):
        client.force_login(person(role))
        for url in record_urls(under_review.case)[:4]:
            page = client.get(url).content.decode(errors="replace")
            for secret in (reviewer.first_name, reviewer.last_name, reviewer.user.email):
                assert secret not in page, url
