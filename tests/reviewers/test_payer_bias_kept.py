"""Payer-bias test through the whole product: steering is found, every answer is kept, once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from threading import Barrier

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.refusals import NotAllowed
from accounts.roles import PERMISSIONS, Role
from cases.models import PartyRole
from imr_portal.celery import app as celery_app
from reviewers import tasks
from reviewers.matching.assignment_history import list_choices_between
from reviewers.models import PayerBiasNote, PayerBiasTest
from reviewers.services import payer_bias
from tests.factories import MONDAY, person
from tests.reviewers.histories import PAYERS, SPECIALTIES, make_offers, store_history

MARCH = {"first": date(2026, 3, 1), "last": date(2026, 3, 31)}
APRIL_1 = datetime(2026, 4, 1, 16, 0, tzinfo=UTC)


def map_answers(tests):
    return {test.party_role: test.answer for test in tests}


def run_tests_of_march(by=None, at=APRIL_1, **days):
    return payer_bias.run_bias_tests(**MARCH | days, by=by, at=at)


# --- Found and not found --------------------------------------------------------------------------


@pytest.mark.capability("MA-5", "CO-6")
@pytest.mark.django_db
def test_planted_payer_bias_is_found_in_stored_assignments():
    store_history(make_offers(steered=0.6))

    found = run_tests_of_march()

    assert map_answers(found) == {
        "CLAIMS_ADMINISTRATOR": "STEERED",
        "INSURER": "TOO_FEW",  # no case names one
        "EMPLOYER": "NO_SIGN",
    }
    assert [(test.choices, test.compared) for test in found] == [(240, 240), (0, 0), (240, 240)]
    assert found[0].sentence == "Reviewer choice depends on the claims administrator."


@pytest.mark.capability("MA-5", "CO-6")
@pytest.mark.django_db
def test_a_fair_history_shows_no_sign_of_bias():
    store_history(make_offers())

    found = run_tests_of_march()

    assert not any(test.is_steered for test in found)
    assert found[0].sentence == "No sign that reviewer choice depends on the payer."


@pytest.mark.capability("MA-5")
@pytest.mark.django_db
def test_a_payer_that_always_has_one_specialty_is_not_flagged_as_bias():
    """The first payer's cases are all of neurology: its reviewers are, and no one steers them."""
    store_history(
        make_offers(specialties_of=lambda payer: SPECIALTIES[: 1 if payer == PAYERS[0] else 2])
    )

    assert map_answers(run_tests_of_march())["CLAIMS_ADMINISTRATOR"] == "NO_SIGN"


@pytest.mark.django_db
def test_too_few_choices_are_reported_and_clear_bias_among_few_still_raises_the_alarm():
    store_history(make_offers(many=29))
    few = run_tests_of_march()[0]
    assert few.sentence.startswith("Not enough data: fewer than 30 comparable")

    store_history(make_offers(many=24, steered=1.0, at=MONDAY - timedelta(days=60)))
    assert run_tests_of_march(first=date(2026, 1, 1), last=date(2026, 1, 31))[0].is_steered


@pytest.mark.django_db
def test_the_same_choices_give_the_same_answer_again():
    store_history(make_offers(many=60))

    one, other = run_tests_of_march(), run_tests_of_march(at=APRIL_1 + timedelta(days=1))

    def list_values(tests):
        return [(t.party_role, t.compared, t.unevenness, t.p, t.deals, t.seed) for t in tests]

    assert list_values(one) == list_values(other)
    assert PayerBiasTest.objects.count() == 6


@pytest.mark.django_db
def test_a_period_is_read_by_its_days_in_los_angeles_and_by_the_index():
    midnight = datetime(2026, 4, 1, 7, 0, tzinfo=UTC)  # 00:00 on the 1st of April
    store_history(make_offers(many=1, at=midnight - timedelta(minutes=1)))
    store_history(make_offers(many=1, at=midnight))

    with CaptureQueriesContext(
        connection,
    ) as asked:
        march = list_choices_between(**MARCH, role=PartyRole.CLAIMS_ADMINISTRATOR)

    assert len(march) == 1
    assert len(asked) == 2
    assert all('"offered_at" >=' in query["sql"] for query in asked)


# --- Kept -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_stored_test_keeps_everything_needed_to_repeat_it():
    director = person(Role.DIRECTOR)
    store_history(make_offers(many=40))

    run_tests_of_march(by=director)

    row = PayerBiasTest.objects.get(party_role="CLAIMS_ADMINISTRATOR")
    assert (row.first, row.last) == (MARCH["first"], MARCH["last"])
    assert (row.deals, row.seed, row.made_at, row.made_by) == (999, 4610, APRIL_1, director)
    assert row.is_steered == (row.p < row.alarm)
    assert not row.is_monthly


@pytest.mark.every_database
@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"is_steered": True, "p": 0.5},
        {"is_steered": False, "p": 0.001},
        {"is_monthly": True, "made_by": "somebody"},
        {"first": date(2026, 4, 1)},
    ],
)
def test_the_database_refuses_a_test_that_contradicts_itself(wrong):
    row = PayerBiasTest(
        **MARCH, party_role="EMPLOYER", choices=9, compared=9, unevenness=1, p=0.5, alarm=0.01,
        is_steered=False, deals=99, seed=1, made_at=APRIL_1,
    )  # fmt: skip
    for name, value in wrong.items():
        setattr(row, name, person(Role.DIRECTOR) if name == "made_by" else value)

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


@pytest.mark.every_database
@pytest.mark.django_db
def test_a_stored_test_is_never_changed():
    row = run_tests_of_march()[0]
    row.is_steered = True

    with pytest.raises(DatabaseError), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(set(Role) - PERMISSIONS["reviewers.run_payer_bias_test"]))
def test_only_the_director_requests_a_test_or_records_its_follow_up(role):
    row = run_tests_of_march()[0]
    somebody = person(role)

    with pytest.raises(NotAllowed, match="medical director"):
        run_tests_of_march(by=somebody)
    with pytest.raises(NotAllowed, match="medical director"):
        payer_bias.add_bias_note(test_id=row.pk, words="Fine", by=somebody, at=APRIL_1)
    assert (PayerBiasTest.objects.count(), PayerBiasNote.objects.count()) == (3, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"last": date(2026, 4, 2)}, "in the future"),
        ({"first": date(2026, 3, 31), "last": date(2026, 3, 1)}, "before the first"),
    ],
)
def test_dates_that_form_no_period_are_refused(days, sentence):
    with pytest.raises(NotAllowed, match=sentence):
        run_tests_of_march(**days)
    assert not PayerBiasTest.objects.exists()


@pytest.mark.django_db
def test_a_long_period_is_refused_for_a_person_and_allowed_for_the_system(monkeypatch):
    monkeypatch.setattr(payer_bias, "MOST_ON_PAGE", 10)
    store_history(make_offers(many=11))

    with pytest.raises(NotAllowed, match="These days have 11 assignments; up to 10 can"):
        run_tests_of_march(by=person(Role.DIRECTOR))
    assert len(run_tests_of_march()) == 3


@pytest.mark.every_database
@pytest.mark.django_db
def test_an_alarm_stays_open_until_its_follow_up_is_recorded():
    director = person(Role.DIRECTOR)
    store_history(make_offers(steered=0.6))
    (steered, *_) = run_tests_of_march()
    assert payer_bias.list_open_alerts() == [steered]

    with pytest.raises(NotAllowed, match="Enter what you reviewed"):
        payer_bias.add_bias_note(test_id=steered.pk, words="  ", by=director, at=APRIL_1)
    assert payer_bias.list_open_alerts() == [steered]

    payer_bias.add_bias_note(
        test_id=steered.pk, words="A new map of specialties.", by=director, at=APRIL_1
    )
    assert payer_bias.list_open_alerts() == []
    note = steered.notes.get()
    assert (note.words, note.noted_by, note.noted_at) == (
        "A new map of specialties.", director, APRIL_1,
    )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        note.delete()


# --- The command ----------------------------------------------------------------------------------


def run_command(*options):
    out, code = StringIO(), 0
    try:
        call_command(
            "check_payer_bias", "--from=2026-03-01", "--to=2026-03-31", *options, stdout=out
        )
    except SystemExit as end:
        code = end.code
    return out.getvalue(), code


@pytest.mark.django_db
def test_the_command_stores_its_result_and_exits_with_1_on_bias(set_clock):
    set_clock(APRIL_1)
    store_history(make_offers(steered=0.6))

    dry, code = run_command("--json", "--dry-run")
    assert code == 1
    assert not PayerBiasTest.objects.exists()

    kept, code = run_command("--json")
    assert (kept, code) == (dry, 1)
    data = json.loads(kept)["tests"]
    assert {name: test["steered"] for name, test in data.items()} == {
        "claims administrator": True, "insurer": False, "employer": False,
    }  # fmt: skip
    assert PayerBiasTest.objects.filter(made_by=None, is_monthly=False).count() == 3
    text, _ = run_command()
    assert (
        "Reviewer choice DEPENDS on the claims administrator: 240 of 240 assignments compared"
        in text
    )


@pytest.mark.django_db
def test_the_command_exits_with_0_on_a_fair_history_and_refuses_future_days(set_clock):
    set_clock(APRIL_1)
    store_history(make_offers(many=60))
    assert run_command()[1] == 0

    set_clock(MONDAY)
    with pytest.raises(CommandError, match="in the future"):
        run_command()


# --- Every month ----------------------------------------------------------------------------------


def list_monthly_periods():
    rows = PayerBiasTest.objects.filter(is_monthly=True).order_by("last", "-first", "party_role")
    return list(dict.fromkeys((row.first, row.last) for row in rows))


@pytest.mark.django_db
def test_the_last_month_and_the_last_twelve_are_tested_once_when_the_month_is_over(set_clock):
    store_history(make_offers(many=40))
    set_clock(datetime(2026, 4, 1, 6, 59, tzinfo=UTC))  # still March in Los Angeles
    tasks.check_payer_bias()
    assert not PayerBiasTest.objects.exists()

    set_clock(APRIL_1)
    for _ in range(2):
        tasks.check_payer_bias()

    assert list_monthly_periods() == [
        (date(2026, 3, 1), date(2026, 3, 31)),
        (date(2025, 4, 1), date(2026, 3, 31)),
    ]
    assert PayerBiasTest.objects.count() == 2 * 3
    assert set(PayerBiasTest.objects.values_list("made_by", flat=True)) == {None}


@pytest.mark.django_db
def test_months_that_were_missed_are_caught_up_also_those_without_a_choice(set_clock):
    store_history(make_offers(many=40))
    set_clock(APRIL_1)
    tasks.check_payer_bias()

    set_clock(APRIL_1 + timedelta(days=95))  # July
    tasks.check_payer_bias()

    assert [last for _, last in list_monthly_periods()][::2] == [
        date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30),
    ]  # fmt: skip
    assert len(list_monthly_periods()) == 8
    assert PayerBiasTest.objects.count() == 8 * 3


@pytest.mark.django_db
def test_the_next_run_makes_the_tests_that_one_run_had_no_time_for(set_clock, monkeypatch):
    store_history(make_offers(many=40))
    set_clock(APRIL_1)
    ticks = iter(range(0, 10_000, 15))
    monkeypatch.setattr(tasks, "monotonic", lambda: float(next(ticks)))

    made = []
    for _ in range(8):
        tasks.check_payer_bias()
        made.append(PayerBiasTest.objects.count())

    assert made[0] == 1
    assert made[-1] == 6


@pytest.mark.django_db
def test_a_requested_test_does_not_replace_the_monthly_one(set_clock):
    store_history(make_offers(many=40))
    run_tests_of_march(by=person(Role.DIRECTOR))
    set_clock(APRIL_1)

    tasks.check_payer_bias()

    assert len(list_monthly_periods()) == 2


@pytest.mark.django_db
def test_nothing_is_tested_when_no_reviewer_was_ever_chosen(set_clock):
    set_clock(APRIL_1)
    tasks.check_payer_bias()
    assert not PayerBiasTest.objects.exists()


@pytest.mark.every_database
def test_two_workers_at_once_store_one_row(committed_db, monkeypatch):
    store_history(make_offers(many=30))
    together, examine = Barrier(2), payer_bias.compute_bias_test

    def both_have_looked(**asked):
        found = examine(**asked)
        together.wait(timeout=30)  # neither has stored yet
        return found

    monkeypatch.setattr(payer_bias, "compute_bias_test", both_have_looked)

    def turn(_):
        try:
            return payer_bias.run_next_bias_test(at=APRIL_1).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(turn, range(2))

    assert one == other
    assert PayerBiasTest.objects.count() == 1


def test_the_task_is_scheduled_and_registered():
    (line,) = [
        entry
        for entry in celery_app.conf.beat_schedule.values()
        if entry["task"] == tasks.check_payer_bias.name
    ]
    assert line["task"] in celery_app.tasks
    assert len(line["schedule"].hour) > 1  # a turn that was cut short goes on the same night
