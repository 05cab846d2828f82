"""The supervisor's desk: backlog, applications and keying time of each clerk, without pauses."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from deadlines.days import local_day
from intake.keying_time import read_opening, sign_opening
from intake.models import IntakeDraft
from intake.services import drafts, receiving
from tests.factories import MONDAY, application, batch_of, person, received_case, scanned_file

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def key_application(clerk: User, *, saves, opened_at=MONDAY, accepted_at):
    """Open a form, save it at these moments after opening, and accept it."""
    key, revision = uuid4(), None
    for after in saves:
        revision = drafts.save_intake_draft(
            key=key,
            typed={"last_name": ["Quintanar"]},
            revision=revision,
            scan_id=None,
            opened_at=opened_at,
            by=clerk,
            at=opened_at + after,
        ).revision
    receiving.receive_application(
        application=application(key=key), by=clerk, at=opened_at + accepted_at
    )
    return IntakeDraft.objects.get(key=key).keyed_seconds


def test_keying_time_counts_from_opening_to_accepting_without_pauses():
    clerk = person(Role.INTAKE)

    without = key_application(
        clerk, saves=[30 * SECOND, 2 * MINUTE], accepted_at=2 * MINUTE + 20 * SECOND
    )
    # A pause of half an hour, then a minute more.
    with_pause = key_application(
        clerk,
        saves=[30 * SECOND, 2 * MINUTE, 32 * MINUTE],
        accepted_at=33 * MINUTE,
    )

    assert without == 140
    assert with_pause == 120 + 60


def test_a_form_that_is_continued_counts_from_opening_it_again():
    clerk, key = person(Role.INTAKE), uuid4()
    save = {"key": key, "typed": {}, "scan_id": None, "by": clerk}
    drafts.save_intake_draft(revision=None, opened_at=MONDAY, at=MONDAY + MINUTE, **save)
    again = MONDAY + timedelta(hours=3)
    draft = drafts.save_intake_draft(revision=1, opened_at=again, at=again + 40 * SECOND, **save)

    assert draft.keyed_seconds == 60 + 40


def test_the_moment_of_opening_cannot_be_invented():
    assert read_opening(sign_opening(MONDAY)) == MONDAY
    assert read_opening(sign_opening(MONDAY)[:-1]) is None
    assert read_opening("") is None


def test_the_form_carries_the_moment_of_opening_into_its_draft(client, set_clock):
    clerk = person(Role.INTAKE)
    client.force_login(clerk)
    set_clock(MONDAY)
    page = client.get(reverse("intake:intake"))
    form, opened = page.context["form"], page.context["opened"]
    set_clock(MONDAY + 50 * SECOND)

    client.post(
        reverse("intake:save_draft"),
        {"key": form["key"].value(), "opened": opened, "revision": "0", "last_name": "X"},
    )

    assert IntakeDraft.objects.get(owner=clerk).keyed_seconds == 50


def test_the_desk_shows_the_oldest_scan_and_the_backlog_by_channel(client, set_clock):
    batch_of(scanned_file(), scanned_file(), received_on=local_day(MONDAY) - timedelta(days=4))
    batch_of(scanned_file(), channel="FAX")
    client.force_login(person(Role.SUPERVISOR))
    set_clock(MONDAY)

    answer = client.get(reverse("intake:intake_supervisor"))

    page = answer.content.decode()
    waiting = {line.label: line.waiting for line in answer.context["backlog"] if line.waiting}
    assert sorted(waiting.values()) == [1, 2]
    assert "3 scans to enter." in page
    assert "<b>4 days ago</b>" in page
    assert page.count('<svg class="plot" viewBox') >= len(answer.context["backlog"])


def test_the_desk_compares_clerks_and_a_clerk_sees_their_own_time_alone(client, set_clock):
    ada = person(Role.INTAKE, name="Ada Clerk")
    ben = person(Role.INTAKE, name="Ben Clerk")
    key_application(ada, saves=[MINUTE], accepted_at=2 * MINUTE)
    received_case(by=ada, at=MONDAY - timedelta(days=2))
    key_application(ben, saves=[MINUTE], accepted_at=MINUTE + 30 * SECOND)
    set_clock(MONDAY + timedelta(hours=1))
    client.force_login(person(Role.SUPERVISOR))

    answer = client.get(reverse("intake:intake_supervisor"))

    lines = [
        (line.name, line.per_day[-3:], line.median_seconds, line.measured)
        for line in answer.context["clerks"]
    ]
    assert lines == [("Ada Clerk", [1, 0, 1], 120, 1), ("Ben Clerk", [0, 0, 1], 90, 1)]
    page = answer.content.decode()
    assert 'aria-label="Applications on each day: 0, 0, 0, 0, 1, 0, 1"' in page
    assert "2 min 00 s" in page

    client.force_login(ben)
    own = client.get(reverse("intake:my_intakes")).content.decode()
    assert "1 min 30 s for an application, the median of 1." in own
    assert client.get(reverse("intake:intake_supervisor")).status_code == 403
