"""Fees by filing date: which row applies, what has none, who confirms, and the page."""

import html
import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from accounts.refusals import NotAllowed
from accounts.roles import Role
from accounts.versions import Versioned
from billing import services
from billing.fees import NoFee, find_fee
from billing.models import FeeRow
from billing.shipped_fees import FEES
from imr_portal.checks import list_unconfirmed_law
from tests.factories import MONDAY, person

PHYSICIAN, OTHER = "MD_DO", "OTHER"


@pytest.mark.parametrize(
    ("filed", "kind", "stage", "more", "dollars"),
    [
        (date(2013, 1, 1), "REGULAR", "DECIDED", (PHYSICIAN, 1), 560),
        (date(2013, 6, 3), "REGULAR", "DECIDED", (PHYSICIAN, 2), 760),
        (date(2014, 3, 31), "REGULAR", "DECIDED", (OTHER, 1), 495),
        (date(2013, 6, 3), "REGULAR", "DECIDED", (OTHER, 2), 655),
        (date(2013, 6, 3), "EXPEDITED", "DECIDED", (PHYSICIAN, 1), 685),
        (date(2013, 6, 3), "EXPEDITED", "DECIDED", (PHYSICIAN, 2), 850),
        (date(2013, 6, 3), "EXPEDITED", "DECIDED", (OTHER, 0), 595),
        (date(2014, 4, 1), "REGULAR", "DECIDED", ("", 0), 420),
        (date(2014, 4, 1), "REGULAR", "DECIDED", (OTHER, 2), 420),
        (date(2014, 12, 31), "EXPEDITED", "DECIDED", ("", 0), 515),
        (date(2014, 4, 1), "PHARMACY", "DECIDED", ("", 0), 390),
        (date(2014, 4, 1), "PHARMACY", "BEFORE_REVIEWER", ("", 0), 160),
        (date(2014, 4, 1), "REGULAR", "AFTER_REVIEWER", ("", 0), 420),
        (date(2020, 1, 1), "REGULAR", "DECIDED", ("", 0), 345),
        (date(2026, 3, 31), "PHARMACY", "DECIDED", ("", 0), 345),
        (date(2020, 1, 1), "EXPEDITED", "BEFORE_REVIEWER", ("", 0), 115),
    ],
)
def test_the_filing_date_the_kind_and_the_stage_choose_the_fee(filed, kind, stage, more, dollars):
    held, reviewers = more

    found = find_fee(filed, kind, stage, rows=FEES, reviewer_license=held, reviewers=reviewers)

    assert found.amount == Decimal(dollars)
    assert not found.is_confirmed


@pytest.mark.parametrize(
    ("filed", "kind", "stage", "more", "said"),
    [
        (date(2012, 12, 31), "REGULAR", "DECIDED", ("", 0), "for this filing date."),
        (date(2015, 1, 1), "REGULAR", "DECIDED", ("", 0), "for this filing date."),
        (date(2019, 12, 31), "REGULAR", "DECIDED", ("", 0), "for this filing date."),
        (date(2026, 4, 1), "REGULAR", "DECIDED", ("", 0), "for this filing date."),
        (date(2020, 1, 1), "EXPEDITED", "DECIDED", ("", 0), "with this kind of review"),
        (date(2020, 1, 1), "REGULAR", "AFTER_REVIEWER", ("", 0), "and this stage"),
        (date(2013, 6, 3), "PHARMACY", "DECIDED", ("", 0), "with this kind of review"),
        (date(2013, 6, 3), "EXPEDITED", "DECIDED", (OTHER, 2), "this license and number"),
        (date(2013, 6, 3), "REGULAR", "DECIDED", ("", 1), "depends on the license"),
        (date(2013, 6, 3), "REGULAR", "DECIDED", (PHYSICIAN, 0), "depends on the license"),
    ],
)
def test_an_amount_that_is_not_known_has_no_row_and_says_so(filed, kind, stage, more, said):
    held, reviewers = more

    found = find_fee(filed, kind, stage, rows=FEES, reviewer_license=held, reviewers=reviewers)

    assert isinstance(found, NoFee)
    assert said in found.sentence


@pytest.mark.django_db
def test_the_shipped_rows_are_loaded_unconfirmed_and_listed_by_the_check():
    assert set(FeeRow.objects.as_fees()) == set(FEES)
    assert FeeRow.history.count() == len(FEES)

    listed = [message.msg for message in list_unconfirmed_law(databases=["default"])]
    assert any(text.startswith(f"{len(FEES)} fee rows are unconfirmed: $560.00") for text in listed)


@pytest.mark.django_db
@pytest.mark.every_database
def test_two_rows_of_one_fee_never_share_a_filing_date():
    row = FeeRow(
        kind="REGULAR",
        stage="DECIDED",
        amount=Decimal(500),
        effective_from=date(2026, 3, 31),
        source="8 CCR 9792.10.8",
    )
    with pytest.raises(ValidationError, match="End it first"):
        row.full_clean(exclude=["version"])
    with pytest.raises(DatabaseError), transaction.atomic():
        Versioned.store(row, by=None, at=MONDAY)
    row.pk, row.version, row._state.adding = None, 0, True
    row.effective_from = date(2026, 4, 1)
    row.full_clean(exclude=["version"])
    row.store(by=None, at=MONDAY)

    found = find_fee(date(2026, 11, 2), "REGULAR", "DECIDED", rows=FeeRow.objects.as_fees())
    assert found.amount == Decimal(500)


@pytest.mark.django_db
def test_a_fee_is_confirmed_once_in_a_name_and_a_changed_amount_removes_it(client):
    director = person(Role.DIRECTOR, name="Ingrid Solberg")
    row = FeeRow.objects.get(amount=Decimal(515))
    with pytest.raises(NotAllowed, match="may not change fees"):
        services.confirm_fee(
            fee_id=row.pk, on=MONDAY.date(), by=person(Role.COORDINATOR), at=MONDAY
        )
    client.force_login(director)
    url = reverse("admin:billing_feerow_changelist")
    action = {"action": "confirm", "_selected_action": [row.pk]}
    assert "1 fee confirmed in your name." in client.post(url, action, follow=True).content.decode()
    assert "was confirmed by Ingrid" in client.post(url, action, follow=True).content.decode()

    row.refresh_from_db()
    assert row.confirmed_by == director
    row.amount = Decimal(516)
    row.store(by=director, at=MONDAY)
    row.refresh_from_db()
    assert row.confirmed_on is None


@pytest.mark.django_db
def test_the_page_finds_a_fee_or_says_that_there_is_no_row(client):
    client.force_login(person(Role.ADMINISTRATOR))

    def page(**asked):
        text = client.get("/fees/", asked).content.decode()
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))

    asked = {"kind": "REGULAR", "stage": "DECIDED", "reviewer_license": "", "reviewers": "0"}
    assert "15 rows not confirmed." in page()
    assert "$345.00 8 CCR 9792.10.8; fees from a copy of dir.ca.gov" in page(
        filed="1/2/20", **asked
    )
    assert "There is no fee row for this filing date." in page(filed="11/2/2026", **asked)
    assert "Enter the filing date." in page(filed="", **asked)
