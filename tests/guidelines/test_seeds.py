"""What is shipped: unconfirmed, and never put over what an office has entered itself."""

from datetime import date

import pytest
from django.core.management import call_command

from guidelines import services
from guidelines.models import Edition, Guideline, Recommendation, Source
from tests.factories import MONDAY

pytestmark = pytest.mark.django_db


def find_label(code, day):
    found = Edition.objects.filter(guideline__code=code).in_force(on=day).first()
    return found and found.label


def test_seeding_twice_adds_nothing_the_second_time(capsys):
    call_command("seed_guidelines")
    first = Edition.objects.count(), Recommendation.objects.count()
    versions = Edition.history.count()
    call_command("seed_guidelines")

    out = capsys.readouterr().out.splitlines()
    assert out[2] == "0 sources, 0 guidelines, 0 editions and 0 recommendations added."
    assert first == (Edition.objects.count(), Recommendation.objects.count())
    assert Edition.history.count() == versions == first[0]


def test_shipped_rows_are_unconfirmed():
    services.seed_guidelines(by=None, at=MONDAY)

    assert not Edition.objects.filter(confirmed_on__isnull=False).exists()


@pytest.mark.parametrize(
    ("code", "day", "expected"),
    [
        ("chronic-pain-medical-treatment", date(2016, 7, 28), "2009"),
        ("chronic-pain-medical-treatment", date(2016, 7, 29), "2016"),
        ("chronic-pain-medical-treatment", date(2017, 12, 1), None),
        ("opioid-treatment", date(2016, 7, 28), None),
        ("low-back-complaints", date(2014, 6, 20), "2004"),
        ("low-back-complaints", date(2007, 6, 14), None),
        ("elbow-complaints", date(2009, 7, 17), "2004"),
        ("elbow-complaints", date(2009, 7, 18), "2007"),
        ("acoem-low-back", date(2019, 8, 10), "February 24, 2016"),
        ("acoem-low-back", date(2019, 8, 11), "March 7, 2019"),
        ("acoem-low-back", date(2021, 11, 23), "February 13, 2020"),
        ("acoem-anxiety-disorders", date(2021, 7, 18), None),
        ("acoem-anxiety-disorders", date(2021, 7, 19), "April 30, 2021"),
    ],
)
def test_the_shipped_edition_of_a_day(code, day, expected):
    services.seed_guidelines(by=None, at=MONDAY)

    assert find_label(code, day) == expected


def test_an_offices_own_rows_stand():
    source = Source(code="MTUS", name="The schedule", is_mtus=True).store(by=None, at=MONDAY)
    ours = Guideline(source=source, code="low-back-complaints", title="Low back, ours")
    ours.store(by=None, at=MONDAY)
    Edition(guideline=ours, label="our own", valid_from=date(2010, 1, 1)).store(by=None, at=MONDAY)

    services.seed_guidelines(by=None, at=MONDAY)

    ours.refresh_from_db()
    assert ours.title == "Low back, ours"
    assert [edition.label for edition in ours.editions.all()] == ["our own"]
    assert Source.objects.get(code="MTUS").name == "The schedule"
