"""Editions: which is in force on a day, no two on the same day, and who confirmed them."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.refusals import NotAllowed
from accounts.roles import Role
from guidelines import services
from guidelines.models import (
    NOT_CONFIRMED,
    ApprovedParagraph,
    Edition,
    EditionsOverlap,
    Recommendation,
)
from tests.factories import MONDAY, person

from .conftest import make_edition

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2004, 1, 1), None),
        (date(2004, 1, 1), date(2007, 6, 16)),
        (date(2007, 6, 15), date(2017, 12, 1)),
        (date(2010, 1, 1), date(2010, 1, 2)),
        (date(2017, 11, 30), None),
    ],
)
def test_two_editions_cannot_count_on_the_same_day(guideline, edition, start, end):
    with pytest.raises(EditionsOverlap) as refusal:
        make_edition(guideline, "2016", start, end)

    sentence = str(refusal.value)
    assert "The 2016 edition" in sentence
    assert f"{start:%b} {start.day}, {start.year}" in sentence
    assert "the 2004 edition of Neck Complaints is in force from Jun 15, 2007" in sentence
    assert "up to but not including Dec 1, 2017" in sentence


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2017, 12, 1), None), (date(2004, 1, 1), date(2007, 6, 15))],
)
def test_editions_that_touch_are_apart(guideline, edition, start, end):
    make_edition(guideline, "2016", start, end)


def test_another_guideline_may_have_the_same_days(guideline, edition):
    other = type(guideline)(source=guideline.source, code="knee", title="Knee Complaints")
    make_edition(other.store(by=None, at=MONDAY), "2004", date(2007, 6, 15))


@pytest.mark.every_database
@pytest.mark.parametrize("act", ["insert", "update"])
def test_the_database_refuses_a_shared_day_by_itself(guideline, edition, act):
    later = make_edition(guideline, "2017", date(2017, 12, 1))
    statements = {
        "insert": "INSERT INTO guidelines_edition (guideline_id, label, valid_from, "
        "governing_date, regulation, note, version) "
        "VALUES (%s, 'x', '2010-01-01', 'REQUEST', '', '', 1)",
        "update": "UPDATE guidelines_edition SET valid_from = '2017-11-30' WHERE id = %s",
    }
    number = guideline.pk if act == "insert" else later.pk

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statements[act], [number])


def test_an_edition_can_be_changed_without_meeting_itself(edition):
    edition.ends_before = date(2017, 12, 2)
    edition.store(by=None, at=MONDAY)


@pytest.mark.every_database
def test_an_edition_ends_after_it_begins(guideline):
    with pytest.raises(DatabaseError), transaction.atomic():
        make_edition(guideline, "2016", date(2016, 7, 29), date(2016, 7, 29))


def test_the_edition_in_force_changes_over_night(guideline):
    old = make_edition(guideline, "2009", date(2009, 7, 18), date(2016, 7, 29))
    new = make_edition(guideline, "2016", date(2016, 7, 29), date(2017, 12, 1))

    def on(day):
        return list(guideline.editions.in_force(on=day))

    assert on(date(2009, 7, 17)) == []
    assert on(date(2009, 7, 18)) == [old]
    assert on(date(2016, 7, 28)) == [old]
    assert on(date(2016, 7, 29)) == [new]
    assert on(date(2017, 12, 1)) == []
    assert old.status_on(date(2016, 7, 29)) == "superseded"
    assert new.status_on(date(2016, 7, 28)) == "not yet"
    assert new.status_on(date(2016, 7, 29)) == "in force"


def test_confirming_names_the_person_and_the_day(edition, keeper):
    services.confirm_edition(edition_id=edition.pk, on=MONDAY.date(), by=keeper, at=MONDAY)

    edition.refresh_from_db()
    assert (edition.confirmed_by, edition.confirmed_on) == (keeper, MONDAY.date())
    latest = edition.history.latest()
    assert (latest.history_user, latest.history_change_reason) == (keeper, "Confirmed")


def test_only_a_keeper_confirms_and_only_once(edition, keeper):
    with pytest.raises(NotAllowed, match="Only a guideline administrator"):
        services.confirm_edition(
            edition_id=edition.pk, on=MONDAY.date(), by=person(Role.QA), at=MONDAY
        )
    services.confirm_edition(edition_id=edition.pk, on=MONDAY.date(), by=keeper, at=MONDAY)
    with pytest.raises(NotAllowed, match="was confirmed by Gwen Keeper on Mar 2, 2026"):
        services.confirm_edition(edition_id=edition.pk, on=MONDAY.date(), by=keeper, at=MONDAY)


def test_changing_a_confirmed_row_removes_the_confirmation(edition, keeper):
    edition = services.confirm_edition(
        edition_id=edition.pk, on=MONDAY.date(), by=keeper, at=MONDAY
    )
    edition.note = "A note is not what was confirmed."
    assert edition.store(by=keeper, at=MONDAY).is_confirmed

    edition.ends_before = date(2017, 11, 1)
    edition.store(by=keeper, at=MONDAY + timedelta(hours=1), fields=["ends_before"])

    edition.refresh_from_db()
    assert not edition.is_confirmed
    assert edition.ends_before == date(2017, 11, 1)


def test_a_recommendation_shows_the_state_of_its_edition(edition, keeper):
    row = Recommendation(edition=edition, section="Special Studies", pages="177")
    row.store(by=None, at=MONDAY)

    assert row.authority() == "Neck Complaints 2004, Section(s): Special Studies, Page(s): 177"
    assert row.edition_note(date(2014, 6, 20)) == f"in force on Jun 20, 2014; {NOT_CONFIRMED}"
    services.confirm_edition(edition_id=edition.pk, on=MONDAY.date(), by=keeper, at=MONDAY)
    row = Recommendation.objects.get(pk=row.pk)
    assert row.edition_note(date(2014, 6, 20)) == "in force on Jun 20, 2014"
    assert row.edition_note(date(2018, 1, 1)) == "superseded on Jan 1, 2018"


def test_a_paragraph_leaves_its_draft_once_and_by_a_keeper(keeper):
    """Publishing alone: reviews do not take paragraphs in yet."""
    row = ApprovedParagraph(title="Tapering", text="Words.").store(by=keeper, at=MONDAY)
    with pytest.raises(NotAllowed, match="Only a guideline administrator"):
        services.publish_paragraph(paragraph_id=row.pk, by=person(Role.INTAKE), at=MONDAY)
    published = services.publish_paragraph(paragraph_id=row.pk, by=keeper, at=MONDAY)
    assert published.state == "PUBLISHED"
    with pytest.raises(NotAllowed, match="is published, not a draft"):
        services.publish_paragraph(paragraph_id=row.pk, by=keeper, at=MONDAY)


def test_the_catalog_contains_the_guard_after_all_migrations():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'x'")
            assert ("edition_days_apart",) in cursor.fetchall()
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            names = {name for (name,) in cursor.fetchall()}
            assert {"edition_days_apart_insert", "edition_days_apart_update"} <= names


def test_editions_are_counted_on_no_day_twice_in_all_that_is_shipped():
    services.seed_guidelines(by=None, at=MONDAY)
    for edition in Edition.objects.all():
        assert not Edition.objects.overlapping(edition).exists()
