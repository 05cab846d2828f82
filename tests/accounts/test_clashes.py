"""Two people store at one moment what only one of them can have: the second reads a sentence."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.refusals import TakenByAnother
from accounts.roles import Role
from accounts.services import change_person, create_user
from deadlines.days import local_day
from letters.services import import_wording
from reviewers.services.conflicts import set_conflict_limits
from tests.factories import MONDAY, person
from tests.letters.factories import SHIPPED
from tests.races import answers_after

pytestmark = pytest.mark.postgres


def test_the_second_of_two_users_with_the_same_address_is_refused(committed_db):
    other = person(Role.QA)
    new = {"name": "Ann Lee", "password": None, "roles": [], "by": None, "at": MONDAY}

    answers = answers_after(
        lambda: create_user(email="ann@example.org", **new),
        {
            "create": lambda: create_user(email="ann@example.org", **new),
            "change": lambda: change_person(
                user_id=other.pk, email="ann@example.org", name=other.name, by=None, at=MONDAY
            ),
        },
    )

    for refusal in answers.values():
        assert isinstance(refusal, TakenByAnother)
        assert str(refusal) == (
            "ann@example.org already belongs to a user. Choose another address."
        )


def test_the_second_of_two_limits_from_the_same_day_is_refused(committed_db):
    director = person(Role.DIRECTOR)
    limits = {
        "effective_from": local_day(MONDAY + timedelta(days=3)),
        "holding_percent": Decimal("2"),
        "kin": [],
        "reason": "Asked by counsel",
        "by": director,
        "at": MONDAY,
    }

    answers = answers_after(
        lambda: set_conflict_limits(**limits), {"second": lambda: set_conflict_limits(**limits)}
    )

    assert isinstance(answers["second"], TakenByAnother)
    assert "are already on file" in str(answers["second"])


def test_the_second_of_two_wordings_imported_at_once_must_be_imported_again(committed_db):
    text = (SHIPPED / "acknowledgment.toml").read_text("utf-8")
    other = text.replace("title = ", "# another\ntitle = ", 1).replace("We", "We here", 1)

    answers = answers_after(
        lambda: import_wording(text=text, by=None, at=MONDAY),
        {"second": lambda: import_wording(text=other, by=None, at=MONDAY)},
    )

    assert isinstance(answers["second"], TakenByAnother)
