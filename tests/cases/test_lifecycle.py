"""The table of moves, walked whole: every state by every state, through the only door."""

from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command

from accounts.roles import Role
from cases.lifecycle import (
    CLOSED_STATES,
    MOVES,
    NEXT_ROLE,
    QUEUE_OF,
    QUEUES,
    UNDO_MOVES,
    CannotMove,
    Status,
)
from cases.management.commands import draw_lifecycle
from cases.models import Case, Origin

AT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)

EVERY_PAIR = [(old, new) for old in Status for new in Status]
LEGAL = [(old, new) for old, new in EVERY_PAIR if new in MOVES[old]]
ILLEGAL = [(old, new) for old, new in EVERY_PAIR if new not in MOVES[old]]


def case_at(status: Status) -> Case:
    """A case that stands anywhere: the one test that does not travel there by services."""
    lead = None
    if status == Status.DUPLICATE:
        lead = case_at(Status.SCREENING)
    is_open = status not in CLOSED_STATES
    return Case(
        number=f"CM26-{Case.objects.count() + 1:07d}",
        origin=Origin.OWN,
        status=status,
        is_open=is_open,
        next_role=NEXT_ROLE[status],
        queue=QUEUE_OF[status],
        received_at=AT,
        received_on=date(2026, 3, 2),
        closed_at=None if is_open else AT,
        due_on=date(2026, 3, 2),
        duplicate_of=lead,
    ).store(by=None, at=AT)


def name_pair(pair):
    return "-to-".join(pair)


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), LEGAL, ids=map(name_pair, LEGAL))
def test_an_allowed_move_stores_the_state_the_next_role_and_a_version(old, new):
    case = case_at(old)
    if new == Status.DUPLICATE:
        case.duplicate_of = case_at(Status.SCREENING)
        case.store(by=None, at=AT, fields=["duplicate_of"])

    case.move_to(new, by=None, at=LATER, why="Because.")

    stored = Case.objects.get(pk=case.pk)
    assert stored.stage == new
    assert stored.is_open == (new not in CLOSED_STATES)
    assert (stored.next_role, stored.queue) == (NEXT_ROLE[new], QUEUE_OF[new])
    assert stored.closed_at == (LATER if new in CLOSED_STATES else None)
    version = stored.history.first()
    assert (version.status, version.history_date) == (new, LATER)
    assert version.history_change_reason == "Because."


@pytest.mark.django_db
@pytest.mark.parametrize("old", Status, ids=lambda state: state.value)
def test_no_other_move_is_possible_from_a_state(old):
    case = case_at(old)
    versions = case.history.count()

    for new in Status:
        if new in MOVES[old]:
            continue
        with pytest.raises(CannotMove) as refused:
            case.move_to(new, by=None, at=LATER)
        assert case.number in str(refused.value)
        assert old.label in str(refused.value)
        assert new.label in str(refused.value)

    stored = Case.objects.get(pk=case.pk)
    assert stored.stage == old
    assert stored.history.count() == versions


# A case whose other reviewer has accepted passes REVIEWER_CHOSEN at once.
LONG_WAY = (Status.IN_REVIEW, Status.RECORDS_COMPLETE)
UNDONE = [(old, new) for old, new in EVERY_PAIR if new in UNDO_MOVES.get(old, set())]


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), UNDONE, ids=map(name_pair, UNDONE))
def test_a_move_for_undo_only_is_made_by_an_undo_alone(old, new):
    case = case_at(old)
    if new == Status.DUPLICATE:
        case.duplicate_of = case_at(Status.SCREENING)
        case.store(by=None, at=AT, fields=["duplicate_of"])
    if new not in MOVES[old]:
        with pytest.raises(CannotMove):
            case.move_to(new, by=None, at=LATER)

    case.move_back_to(new, by=None, at=LATER, why="Undone")

    stored = Case.objects.get(pk=case.pk)
    assert (stored.stage, stored.next_role, stored.queue) == (new, NEXT_ROLE[new], QUEUE_OF[new])
    assert (stored.is_open, stored.closed_at) == (True, None)
    assert stored.history.first().history_change_reason == "Undone"


@pytest.mark.django_db
@pytest.mark.parametrize("old", Status, ids=lambda state: state.value)
def test_an_undo_makes_no_other_move(old):
    case = case_at(old)

    for new in set(Status) - UNDO_MOVES.get(old, set()):
        with pytest.raises(CannotMove, match="cannot return to"):
            case.move_back_to(new, by=None, at=LATER, why="Undone")


def test_an_undo_only_takes_back_a_move_that_can_be_made():
    assert all(old in MOVES[new] for old, new in UNDONE if (old, new) != LONG_WAY)


def test_the_two_tests_above_cover_every_pair():
    assert len(LEGAL) + len(ILLEGAL) == len(Status) ** 2
    assert set(MOVES) == set(NEXT_ROLE) == set(Status)


def test_every_open_state_names_a_role_that_exists():
    for state in Status:
        if state in CLOSED_STATES:
            assert NEXT_ROLE[state] == ""
        else:
            assert NEXT_ROLE[state] in Role.values


def test_every_open_state_is_in_exactly_one_queue():
    for state in Status:
        found = [slug for slug, (_, states) in QUEUES.items() if state in states]
        assert found == ([] if state in CLOSED_STATES else [QUEUE_OF[state]]), state


def test_closed_is_a_named_list_and_can_be_opened_again_only_by_remand_or_reversal():
    assert CLOSED_STATES == [Status.CLOSED]
    assert isinstance(CLOSED_STATES, list), "a set would make migrations differ by the run"
    assert MOVES[Status.CLOSED] == {Status.NOTICE_SENT, Status.SCREENING}


def test_every_state_before_the_letter_can_end_early_and_no_state_after_it():
    after = {Status.ISSUED, Status.WITHDRAWN, Status.TERMINATED, Status.CLOSED}
    for state in Status:
        ends = {Status.WITHDRAWN, Status.TERMINATED} & MOVES[state]
        assert len(ends) == (0 if state in after else 2), state


def test_every_state_can_be_reached_and_every_state_leads_to_a_close():
    reached, found = {Status.RECEIVED}, {Status.RECEIVED}
    while found:
        found = {new for old in found for new in MOVES[old]} - reached
        reached |= found
    assert reached == set(Status)

    ends = set(CLOSED_STATES)
    while more := {old for old in Status if MOVES[old] & ends} - ends:
        ends |= more
    assert ends == set(Status)


def test_the_drawn_page_is_current():
    call_command("draw_lifecycle", "--check")


def test_an_outdated_drawing_is_reported(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    (tmp_path / draw_lifecycle.PAGE).write_text("an older table")

    with pytest.raises(CommandError, match="out of date"):
        call_command("draw_lifecycle", "--check")

    call_command("draw_lifecycle")
    call_command("draw_lifecycle", "--check")


def test_the_drawn_page_shows_every_state_and_every_move():
    page = draw_lifecycle.draw_lifecycle_page()
    for state in Status:
        assert f"| {state.label} | `{state.value}` |" in page
    for old, new in LEGAL:
        if new not in draw_lifecycle.EARLY_ENDS:
            assert f"    {old.value} --> {new.value}\n" in page
    for old, new in UNDONE:
        if new not in MOVES[old]:
            assert f"    {old.value} --> {new.value}: undo\n" in page
