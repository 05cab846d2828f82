"""A letter is served once on each recipient, on a day that a person states and may correct."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from letters import services
from letters.models import DeliveryMethod, Place, Service, ServiceEvent
from tests.factories import person

from . import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return person(Role.MAILROOM)


@pytest.fixture
def service():
    letter = make.file_letter(make.enqueue(make.wording()))
    return Service.objects.get(letter=letter)


def serve(service, clerk, *, on=make.TODAY, at=make.NOW, method=None):
    return services.mark_served(service_id=service.pk, on=on, method=method, by=clerk, at=at)


def correct(service, clerk, **changes):
    values = {
        "on": make.TODAY,
        "method": DeliveryMethod.MAIL,
        "address": service.address,
        "place": Place.UNKNOWN,
        "why": "Postmark",
        "seen_version": service.version,
    } | changes
    return services.correct_service(
        service_id=service.pk, by=clerk, at=make.NOW + timedelta(days=3), **values
    )


def test_serving_keeps_day_method_person_and_event(service, clerk):
    served = serve(service, clerk)

    assert (served.state, served.served_on, served.served_method, served.served_by) == (
        Service.State.SERVED,
        make.TODAY,
        "MAIL",
        clerk,
    )
    assert served.history.count() == 2
    event = served.events.get()
    assert (event.kind, event.happened_on, event.recorded_by) == ("SERVED", make.TODAY, clerk)


def test_a_letter_may_be_served_by_another_method_than_planned(service, clerk):
    served = serve(service, clerk, method=DeliveryMethod.IN_HAND)

    assert (served.method, served.served_method) == ("MAIL", "IN_HAND")


def test_a_letter_without_its_pdf_cannot_go_out(clerk):
    letter = make.enqueue(make.wording())
    with pytest.raises(NotAllowed, match="not ready yet"):
        serve(letter.services.get(), clerk)


def test_a_letter_is_marked_as_sent_once(service, clerk):
    serve(service, clerk)
    with pytest.raises(NotAllowed, match="already sent"):
        serve(service, clerk)


def test_not_in_the_future_by_the_clock_of_los_angeles(service, clerk):
    late = make.NOW.replace(hour=23) + timedelta(hours=8)  # 3 March, 07:00 UTC; still 2 March
    with pytest.raises(NotAllowed, match="future"):
        serve(service, clerk, on=date(2026, 3, 3), at=late)
    assert serve(service, clerk, on=date(2026, 3, 3), at=late + timedelta(hours=1))


def test_not_before_the_letter_was_dated(service, clerk):
    with pytest.raises(NotAllowed, match="dated 03/02/2026"):
        serve(service, clerk, on=date(2026, 3, 1))


def test_a_correction_keeps_the_earlier_values(service, clerk):
    served = serve(service, clerk)

    later = make.TODAY + timedelta(days=1)
    fixed = correct(served, clerk, on=later, place=Place.OTHER_STATE, address="1 Elm, Reno")

    assert (fixed.served_on, fixed.place, fixed.served_address) == (later, "us", "1 Elm, Reno")
    assert fixed.address == "2 Oak Lane"  # as planned
    event = fixed.events.get(kind=ServiceEvent.Kind.CORRECTED)
    assert event.changes == {
        "served_on": [str(make.TODAY), str(later)],
        "served_address": ["2 Oak Lane", "1 Elm, Reno"],
        "place": ["unknown", "us"],
    }
    assert event.why == "Postmark"
    assert ("Place", "Not known", "Another state") in event.listed_changes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing was changed"),
        ({"on": date(2026, 3, 1)}, "dated 03/02/2026"),
        ({"on": date(2026, 3, 9)}, "future"),
        ({"method": DeliveryMethod.FAX, "why": " "}, "reason"),
    ],
)
def test_an_impossible_correction_is_refused_and_changes_nothing(service, clerk, changes, sentence):
    served = serve(service, clerk)

    with pytest.raises(NotAllowed, match=sentence):
        correct(served, clerk, **changes)
    assert served.events.count() == 1


def test_a_correction_of_an_outdated_page_or_an_unsent_letter_is_refused(service, clerk):
    with pytest.raises(NotAllowed, match="not been sent"):
        correct(service, clerk, method=DeliveryMethod.FAX)
    served = serve(service, clerk)
    with pytest.raises(Stale):
        correct(served, clerk, method=DeliveryMethod.FAX, seen_version=1)


def test_an_outcome_is_recorded_after_the_service_with_its_reason(service, clerk):
    def record(kind, on, why=""):
        return services.record_service_outcome(
            service_id=service.pk,
            kind=kind,
            on=on,
            why=why,
            by=clerk,
            at=make.NOW + timedelta(days=5),
        )

    with pytest.raises(NotAllowed, match="not been sent"):
        record("RETURNED", make.TODAY, "Moved")
    serve(service, clerk)
    for kind, on, why, sentence in (
        ("RETURNED", make.TODAY, "", "why it came back"),
        ("RETURNED", make.TODAY - timedelta(days=1), "Moved", "between the day of service"),
        ("DELIVERED", make.TODAY + timedelta(days=9), "", "between the day of service"),
        ("SERVED", make.TODAY, "", "delivered or came back"),
    ):
        with pytest.raises(NotAllowed, match=sentence):
            record(kind, on, why)

    record("RETURNED", make.TODAY + timedelta(days=4), "Moved, left no address")
    assert [event.kind for event in service.events.order_by("pk")] == ["SERVED", "RETURNED"]


def test_one_recipient_is_served_once_by_each_method(service):
    again = Service(
        letter=service.letter,
        recipient_id=service.recipient_id,
        recipient_role="Employee",
        recipient_name="Another name",
        method=service.method,
        planned_on=make.TODAY,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        again.store(by=None, at=make.NOW)
    again.method = DeliveryMethod.FAX
    again.store(by=None, at=make.NOW)
