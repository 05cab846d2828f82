"""Notices to reviewers: offered, returned and due soon; by e-mail without names or details."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from accounts.roles import Role
from cases.models import Case
from determinations.services import quality
from notices import services
from notices.models import Notice
from reviewers.services.review_notices import remind_due_reviews
from tests.determinations.factories import REVIEWED, make_submitted_case
from tests.factories import MONDAY, person
from tests.records.factories import case_with_records
from tests.reviewers.factories import fit_reviewer, offered_case

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def told(user):
    rows = Notice.objects.filter(addressee=user).order_by("pk")
    return [(row.kind, row.reference) for row in rows]


@pytest.fixture
def offered(settings):
    settings.MAIL_IS_CONFIGURED = True
    user = person(Role.REVIEWER, name="Alice Whitfield", email="alice@panel.example")
    assignment = offered_case(
        case=case_with_records(), reviewer=fit_reviewer(user=user), at=MONDAY + DAY
    )
    return assignment, user


@pytest.mark.capability("RV-9")
def test_an_offer_is_told_and_mailed_without_names_and_details(client, offered):
    assignment, user = offered
    assert told(user) == [("REVIEW_OFFERED", assignment.case.number)]

    notice = Notice.objects.get()
    services.send_mail(notice_ids=[notice.pk], at=MONDAY, now=lambda: MONDAY)

    (message,) = mail.outbox
    assert message.to == ["alice@panel.example"]
    text = f"{message.subject}\n{message.body}"
    assert f"Case {assignment.case.number} is offered to you for review." in text
    for secret in ("Whitfield", "Marisol", "Quintanar", "injection", "Pacific Comp"):
        assert secret not in text, secret

    client.force_login(user)
    page = client.get(reverse("desk:notices")).content.decode()
    assert "Offered to you for review" in page
    opened = client.post(reverse("desk:open_notice", args=[notice.pk]))
    assert opened.url == reverse("reviewers:attest", args=[assignment.pk])


@pytest.mark.capability("RV-9")
def test_a_review_due_soon_is_told_once_for_each_due_date(offered):
    assignment, user = offered
    case = Case.objects.get(pk=assignment.case_id)
    day = timedelta(days=(case.due_on - (MONDAY + DAY).date()).days)
    soon = MONDAY + DAY + day - 2 * DAY

    assert remind_due_reviews(at=soon - DAY) == 0
    remind_due_reviews(at=soon)
    remind_due_reviews(at=soon + DAY)
    assert [kind for kind, _ in told(user)] == ["REVIEW_OFFERED", "REVIEW_DUE"]

    case.due_on += DAY  # as an extension moves it
    case.store(by=None, at=soon, fields=["due_on"])
    remind_due_reviews(at=soon + DAY)
    assert [kind for kind, _ in told(user)].count("REVIEW_DUE") == 2


@pytest.mark.capability("RV-9")
def test_a_case_on_hold_reminds_nobody(offered):
    assignment, user = offered
    case = Case.objects.get(pk=assignment.case_id)
    case.due_on, case.held_until = (MONDAY + 2 * DAY).date(), (MONDAY + 9 * DAY).date()
    case.store(by=None, at=MONDAY, fields=["due_on", "held_until"])

    assert remind_due_reviews(at=MONDAY + 2 * DAY) == 0


@pytest.mark.capability("RV-9")
def test_a_review_returned_by_qa_is_told_to_its_reviewer():
    case = make_submitted_case()
    assignment = case.assignments.get()
    user = assignment.reviewer.user

    quality.return_review(
        case_id=case.pk,
        comment="Cite the guideline.",
        item_id=None,
        seen_version=None,
        by=person(Role.QA),
        at=REVIEWED + timedelta(hours=1),
    )

    assert told(user)[-1] == ("REVIEW_RETURNED", case.number)
    notice = Notice.objects.get(kind="REVIEW_RETURNED")
    assert notice.by is None
    assert notice.path == reverse("determinations:workspace", args=[assignment.pk])
