"""A letter goes out once per recipient, on a day that a person states."""

from datetime import date, timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from letters import services
from letters.models import Channel, Delivery
from tests.factories import person

from . import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return person(Role.MAILROOM)


@pytest.fixture
def delivery():
    letter = make.filed(make.enqueue(make.wording()))
    return Delivery.objects.get(letter=letter)


def sent(delivery, clerk, *, on=make.TODAY, at=make.NOW):
    return services.mark_delivery_sent(
        delivery_id=delivery.pk, method=Channel.MAIL, on=on, by=clerk, at=at
    )


def test_sending_keeps_day_method_and_person(delivery, clerk):
    made = sent(delivery, clerk)
    assert (made.state, made.sent_on, made.sent_method, made.sent_by) == (
        Delivery.State.SENT,
        make.TODAY,
        "MAIL",
        clerk,
    )
    assert made.history.count() == 2


def test_a_letter_without_its_pdf_cannot_go_out(clerk):
    letter = make.enqueue(make.wording())
    with pytest.raises(NotAllowed, match="not ready yet"):
        sent(letter.deliveries.get(), clerk)


def test_a_delivery_is_marked_as_sent_once(delivery, clerk):
    sent(delivery, clerk)
    with pytest.raises(NotAllowed, match="already sent"):
        sent(delivery, clerk)


def test_not_in_the_future_by_the_clock_of_los_angeles(delivery, clerk):
    late = make.NOW.replace(hour=23) + timedelta(hours=8)  # 3 March, 07:00 UTC; still 2 March
    with pytest.raises(NotAllowed, match="future"):
        sent(delivery, clerk, on=date(2026, 3, 3), at=late)
    assert sent(delivery, clerk, on=date(2026, 3, 3), at=late + timedelta(hours=1))


def test_not_before_the_letter_was_dated(delivery, clerk):
    with pytest.raises(NotAllowed, match="dated 03/02/2026"):
        sent(delivery, clerk, on=date(2026, 3, 1))
