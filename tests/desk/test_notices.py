"""The page of one's own notices, the badge in the head, and the page of settings."""

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from cases.services import notes, restrictions
from notices.models import Notice
from notices.services import add_notice
from tests.factories import MONDAY, person, received_case

pytestmark = pytest.mark.django_db

BADGE = '<span id="count-unread">{}<span'


@pytest.fixture
def ada(db):
    return person(Role.COORDINATOR, name="Ada Lin")


@pytest.fixture
def ben(db):
    return person(Role.SUPERVISOR, name="Ben Roy")


def mention(case, by, text="Please call, @Ben Roy."):
    return notes.add_note(case_id=case.pk, text=text, by=by, at=MONDAY)


@pytest.mark.capability("RV-9")
def test_the_badge_counts_unread_notices_until_they_are_read(client, ada, ben):
    case = received_case()
    mention(case, ada), mention(case, ada)
    client.force_login(ben)
    assert BADGE.format(2) in client.get("/").content.decode()
    counts = client.get(reverse("desk:side_counts")).content.decode()
    assert '<span id="count-unread" hx-swap-oob="true">2<span' in counts

    first = Notice.objects.filter(addressee=ben).earliest("pk")
    opened = client.post(reverse("desk:open_notice", args=[first.pk]))
    assert opened.url == reverse("desk:timeline", args=[case.number])
    assert BADGE.format(1) in client.get("/").content.decode()

    client.post(reverse("desk:read_notices"))
    page = client.get(reverse("desk:notices")).content.decode()
    assert BADGE.format(0) in page
    assert page.count("Please call, @Ben Roy.") == 2  # kept as read


@pytest.mark.capability("RV-9")
def test_a_notice_of_another_person_cannot_be_read(client, ada, ben):
    mention(received_case(), ada)
    client.force_login(ada)

    answer = client.post(reverse("desk:open_notice", args=[Notice.objects.get().pk]))

    assert answer.status_code == 422
    assert Notice.objects.get().read_at is None
    assert "Please call" not in client.get(reverse("desk:notices")).content.decode()


@pytest.mark.capability("RV-9")
def test_a_mention_on_a_case_that_is_hidden_by_now_is_neither_shown_nor_counted(client, ada, ben):
    case = received_case()
    mention(case, ada)
    restrictions.restrict_case(
        case_id=case.pk,
        ground="PUBLIC",
        reason="A known person.",
        cleared=[ada.pk],
        by=person(Role.DIRECTOR),
        at=MONDAY,
    )
    client.force_login(ben)

    page = client.get(reverse("desk:notices")).content.decode()

    assert case.number not in page
    assert BADGE.format(0) in page


@pytest.mark.capability("RP-5")
def test_a_person_is_told_of_the_same_thing_once(ben):
    told = [
        add_notice(
            to=ben,
            kind="ACCESS_LOST",
            reference="CM26-0000001",
            key="claim 7",
            path="",
            by=None,
            at=MONDAY,
        )
        for _ in range(2)
    ]

    assert told[0] is not None
    assert Notice.objects.count() == 1


def test_everyone_chooses_their_own_settings_and_reviewers_their_mail_about_reviews(client, ada):
    client.force_login(ada)
    address = reverse("accounts:settings")
    page = client.get(address).content.decode()
    assert "No mail server is configured, so nothing is sent now." in page
    assert 'name="mail_on_reviews"' not in page

    sent = {"theme": "DARK", "density": "COMPACT", "single_keys": "on"}
    assert client.post(address, sent).url == address
    stored = User.objects.get(pk=ada.pk)
    assert (stored.theme, stored.density, stored.single_keys) == ("DARK", "COMPACT", True)
    assert (stored.mail_on_mentions, stored.mail_on_reviews) == (False, True)

    client.force_login(person(Role.REVIEWER))
    assert 'name="mail_on_reviews"' in client.get(address).content.decode()
    refused = client.post(address, {"theme": "PINK", "density": "COSY"})
    assert refused.status_code == 422
