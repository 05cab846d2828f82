"""An undo and the next action at the same moment: one of them is refused in words."""

from datetime import timedelta

import pytest

from accounts.refusals import NotAllowed
from accounts.roles import Role
from cases.services.undoing import FollowedBySomething
from correspondence.services import case_letters, notices
from letters.models import Letter
from letters.services import render_letters
from tests.factories import person, received_case
from tests.letters.factories import publish_sample_wording
from tests.queues.test_undo import NOON, SOON, decide, make_letter, undo_last
from tests.races import answers_after

pytestmark = pytest.mark.postgres


def test_of_an_undo_and_the_next_action_the_later_one_is_refused(committed_db):
    ada, ben = person(Role.COORDINATOR), person(Role.COORDINATOR)
    publish_sample_wording()
    case = received_case()
    decide(case, ada)

    answers = answers_after(
        lambda: undo_last(case, ada, NOON + SOON),
        {"make": lambda: notices.make_notices(case_id=case.pk, by=ben, at=NOON + SOON)},
    )

    assert "is in the “Screening” stage" in str(answers["make"])
    later = NOON + timedelta(minutes=1)
    decide(case, ada, later)
    answers = answers_after(
        lambda: notices.make_notices(case_id=case.pk, by=ben, at=later),
        {"undo": lambda: undo_last(case, ada, later + SOON)},
    )
    assert isinstance(answers["undo"], FollowedBySomething)


def test_two_undos_at_once_undo_it_once(committed_db):
    ada = person(Role.COORDINATOR)
    case = received_case()
    decide(case, ada)

    answers = answers_after(
        lambda: undo_last(case, ada, NOON + SOON),
        {"again": lambda: undo_last(case, ada, NOON + SOON)},
    )

    assert isinstance(answers["again"], NotAllowed)
    assert "already taken back" in str(answers["again"])


def test_a_letter_of_which_the_approval_is_being_undone_is_left_by_the_worker(committed_db):
    ada = person(Role.COORDINATOR)
    publish_sample_wording()
    case = received_case()
    letter = make_letter(case, ada)
    ids = list(letter.current_copies().values_list("letter", flat=True))
    rendered = []

    # The worker passes over locked letters, so it does not wait.
    with_undo = {
        "send": lambda: case_letters.mark_letter_sent(
            letter_id=letter.pk, sent_on=NOON.date(), by=ada, at=NOON + SOON
        )
    }
    answers = answers_after(
        lambda: (
            undo_last(case, ada, NOON + SOON),
            rendered.extend(render_letters(letter_ids=ids, at=NOON + SOON, now=lambda: NOON)),
        ),
        with_undo,
    )

    assert rendered == []
    assert "Only an approved letter can be marked as sent" in str(answers["send"])
    assert set(Letter.objects.filter(pk__in=ids).values_list("state", flat=True)) == {"CANCELED"}
