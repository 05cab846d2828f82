"""Keeping the panel by services: codes, facts, corrections, and the profile of any past day."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import Count

from accounts.refusals import BadFact, NotAllowed
from accounts.roles import Role
from accounts.versions import Stale
from reviewers.models import AttestationWording, License, Reviewer, Specialty, SpecialtyFit
from reviewers.profiles import load_profile
from reviewers.seeds import SPECIALTIES
from reviewers.services import credentialing
from tests.factories import MONDAY, person
from tests.reviewers.factories import (
    PANEL_ENTERED,
    VERIFIED,
    fit_reviewer,
    get_category,
    ready_case,
    with_evidence,
)

pytestmark = pytest.mark.django_db


def test_seeding_twice_adds_once_and_fills_in_categories_that_come_later(capsys):
    call_command("seed_specialties")
    assert "the treatment category is missing" in capsys.readouterr().out
    lines = SpecialtyFit.objects.count()
    get_category("Pharmaceuticals", "Opioids")

    call_command("seed_specialties")
    call_command("seed_specialties")

    assert Specialty.objects.count() == len(SPECIALTIES) == len(set(SPECIALTIES)) == 56
    assert AttestationWording.objects.count() == 1
    assert SpecialtyFit.objects.count() > lines
    twice = SpecialtyFit.objects.values("specialty", "category", "condition", "body_part").annotate(
        n=Count("pk")
    )
    assert not twice.filter(n__gt=1).exists()
    assert not SpecialtyFit.objects.filter(specialty__name="Registered Nurse").exists()


def test_seeding_keeps_changes_of_the_office():
    call_command("seed_specialties")
    row = SpecialtyFit.objects.first()
    row.is_active, row.reason = False, "Not in our office"
    row.store(by=None, at=MONDAY)

    call_command("seed_specialties")

    row.refresh_from_db()
    assert (row.is_active, row.reason) == (False, "Not in our office")


def test_codes_go_on_past_four_digits():
    for code in ("R-0009", "R-9999", "R-10000"):
        Reviewer(code=code, first_name="A", last_name="B").store(by=None, at=MONDAY)
    made = credentialing.create_reviewer(first_name="Ana", last_name="Keller", by=None, at=MONDAY)
    assert made.code == "R-10001"


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CREDENTIALING])
def test_only_credentialing_maintains_the_panel(role):
    row, someone = fit_reviewer(), person(role)
    held_license = row.licenses.get()
    acts = [
        lambda: credentialing.create_reviewer(
            first_name="Ana", last_name="Keller", by=someone, at=MONDAY
        ),
        lambda: credentialing.set_reviewer_status(
            reviewer_id=row.pk, status="INACTIVE", reason="x", by=someone, at=MONDAY
        ),
        lambda: credentialing.link_user(
            reviewer_id=row.pk, user_id=someone.pk, by=someone, at=MONDAY
        ),
        lambda: credentialing.correct_fact(
            kind="license", fact_id=held_license.pk, changes={}, by=someone, at=MONDAY
        ),
        lambda: credentialing.add_leave(
            **with_evidence(
                reviewer_id=row.pk,
                valid_from=date(2026, 3, 1),
                valid_to=date(2026, 3, 2),
                by=someone,
                at=MONDAY,
                **VERIFIED,
            )
        ),
    ]
    for act in acts:
        with pytest.raises(NotAllowed, match="Your role"):
            act()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verified_on": date(2026, 3, 3)}, "verified_on"),
        ({"verified_by": " "}, "verified_by"),
        ({"source": ""}, "source"),
        ({"valid_from": date(2026, 3, 2), "valid_to": date(2026, 3, 1)}, "valid_to"),
        ({"valid_to": None}, "valid_to"),
        ({"kind": "RN"}, "kind"),
        ({"standing": "FINE"}, "standing"),
        ({"number": " "}, "number"),
    ],
)
def test_an_impossible_license_is_refused_at_its_field(changes, field):
    row = credentialing.create_reviewer(first_name="A", last_name="B", by=None, at=MONDAY)
    whole = {
        "state": "California",
        "number": "A1",
        "kind": "MD",
        "valid_from": date(2020, 1, 1),
        "valid_to": date(2027, 1, 1),
        **VERIFIED,
    }

    with pytest.raises(BadFact) as refused:
        credentialing.add_license(
            **with_evidence(reviewer_id=row.pk, by=None, at=MONDAY, **whole | changes)
        )

    assert refused.value.field == field
    assert not License.objects.exists()


@pytest.mark.parametrize("hours", ["-0.5", "100.5", None])
def test_hours_a_week_lie_between_none_and_a_hundred(hours):
    row = credentialing.create_reviewer(first_name="A", last_name="B", by=None, at=MONDAY)
    with pytest.raises(BadFact) as refused:
        credentialing.add_practice_fact(
            **with_evidence(
                reviewer_id=row.pk,
                kind="HOURS",
                weekly_hours=hours and Decimal(hours),
                valid_from=date(2026, 1, 1),
                valid_to=date(2026, 12, 31),
                by=None,
                at=MONDAY,
                **VERIFIED,
            )
        )
    assert refused.value.field == "weekly_hours"


def test_a_fact_is_never_changed_in_the_database():
    row = fit_reviewer()
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        row.licenses.update(state="Nevada")
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        connection.cursor().execute("DELETE FROM reviewers_certification")


def test_a_status_change_is_versioned_and_refused_when_stale():
    row, keeper = fit_reviewer(), person(Role.CREDENTIALING)
    credentialing.set_reviewer_status(
        reviewer_id=row.pk,
        status="SUSPENDED",
        reason="Board action",
        seen_version=row.version,
        by=keeper,
        at=MONDAY,
    )
    with pytest.raises(Stale):
        credentialing.set_reviewer_status(
            reviewer_id=row.pk,
            status="ACTIVE",
            reason="Mistake",
            seen_version=row.version,
            by=keeper,
            at=MONDAY,
        )
    latest = row.history.latest("history_id")
    assert (latest.status, latest.history_user, latest.history_change_reason) == (
        "SUSPENDED",
        keeper,
        "Board action",
    )


class TestAsOf:
    """The profile for any past day, as it is known now and as it was known then."""

    def test_every_kind_of_fact_is_shown_with_its_own_text(self):
        row = fit_reviewer()
        credentialing.add_affiliation(
            **with_evidence(
                reviewer_id=row.pk,
                relation="OWNERSHIP",
                organization_name="Delta Spine Group",
                share_percent=Decimal("2.5"),
                valid_from=None,
                by=None,
                at=PANEL_ENTERED,
                **VERIFIED,
            )
        )
        held = load_profile(row, on=date(2026, 3, 2), known_at=MONDAY)

        assert [held_license.state for held_license in held.good_licenses] == ["California"]
        assert held.certified_specialties == ("Physical Medicine & Rehabilitation",)
        assert held.practice_start.valid_from == date(2008, 2, 1)
        assert held.hours.weekly_hours == Decimal(30)
        assert held.training("LAW").version_taught == "2026"
        assert [check.found for check in held.sanction_checks] == [False]
        assert held.affiliations[0].share_percent == Decimal("2.5")
        assert held.licenses[0].recorded_at == PANEL_ENTERED
        assert row.last_name not in repr(held)

    def test_a_day_before_a_fact_and_a_day_after_it_do_not_hold_it(self):
        row = fit_reviewer()
        for day in (date(2005, 6, 30), date(2027, 7, 1)):
            assert load_profile(row, on=day, known_at=MONDAY).licenses == ()
        for day in (date(2005, 7, 1), date(2027, 6, 30)):
            assert len(load_profile(row, on=day, known_at=MONDAY).licenses) == 1

    def test_a_correction_changes_what_is_known_from_its_moment_on(self):
        row = fit_reviewer()
        wrong = row.licenses.get()
        credentialing.correct_fact(
            kind="license", fact_id=wrong.pk, changes={"state": "Nevada"}, by=None, at=MONDAY
        )

        def state(moment):
            return [
                one.state
                for one in load_profile(row, on=date(2026, 3, 2), known_at=moment).licenses
            ]

        assert state(MONDAY - timedelta(seconds=1)) == ["California"]
        assert state(MONDAY) == ["Nevada"]
        assert state(PANEL_ENTERED - timedelta(seconds=1)) == []

    def test_the_latest_correction_counts(self):
        row = fit_reviewer()
        first = row.licenses.get()
        second = credentialing.correct_fact(
            kind="license", fact_id=first.pk, changes={"state": "Nevada"}, by=None, at=MONDAY
        )
        later = MONDAY + timedelta(hours=1)
        credentialing.correct_fact(
            kind="license", fact_id=second.pk, changes={}, withdrawn=True, by=None, at=later
        )
        day = date(2026, 3, 2)
        assert [one.state for one in load_profile(row, on=day, known_at=MONDAY).licenses] == [
            "Nevada"
        ]
        assert load_profile(row, on=day, known_at=later).licenses == ()
        with pytest.raises(NotAllowed, match="already corrected this row"):
            credentialing.correct_fact(
                kind="license", fact_id=first.pk, changes={}, by=None, at=later
            )

    def test_the_status_is_the_one_of_that_moment(self):
        row = fit_reviewer()
        credentialing.set_reviewer_status(
            reviewer_id=row.pk, status="SUSPENDED", reason="Board", by=None, at=MONDAY
        )
        row.refresh_from_db()
        day = date(2026, 3, 2)
        before = load_profile(row, on=day, known_at=MONDAY - timedelta(seconds=1))
        assert before.status == "ACTIVE"
        assert load_profile(row, on=day, known_at=MONDAY).status == "SUSPENDED"

    def test_a_profile_costs_three_queries(self, django_assert_num_queries):
        row = fit_reviewer()
        with django_assert_num_queries(3):
            load_profile(row, on=date(2026, 3, 2), known_at=MONDAY)


class TestRankCommand:
    """``rank_reviewers CASE`` prints everyone's place and every reason, by code."""

    def test_it_prints_codes_places_and_reasons_and_no_name(self, capsys):
        case = ready_case()
        fit, out = fit_reviewer(last_name="Quetzal"), fit_reviewer(hours=None)

        call_command("rank_reviewers", case.number, "--on", "2026-03-02")

        text = capsys.readouterr().out
        assert f"1. {fit.code}" in text
        assert f"– {out.code}, not eligible" in text
        assert "No attestation of weekly hours is in force on Mar 2, 2026." in text
        assert "Quetzal" not in text
        assert not case.candidate_lists.exists()

    def test_it_speaks_json(self, capsys):
        case, fit = ready_case(), fit_reviewer()
        call_command("rank_reviewers", case.number, "--on", "2026-03-02", "--json")
        data = json.loads(capsys.readouterr().out)
        assert data["reviewers"][0]["code"] == fit.code
        assert data["reviewers"][0]["rank"] == 1

    def test_an_unknown_case_is_a_sentence(self):
        with pytest.raises(CommandError, match="There is no case CM26-9"):
            call_command("rank_reviewers", "CM26-9")
