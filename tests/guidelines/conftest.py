from datetime import date

import pytest

from accounts.roles import Role
from guidelines.models import Edition, Guideline, Source
from tests.factories import MONDAY, person


@pytest.fixture
def keeper():
    """Someone who keeps the guidelines."""
    return person(Role.GUIDELINE_ADMIN, name="Gwen Keeper")


@pytest.fixture
def guideline(db):
    source = Source(code="MTUS", name="MTUS", is_mtus=True).store(by=None, at=MONDAY)
    return Guideline(source=source, code="neck", title="Neck Complaints").store(by=None, at=MONDAY)


@pytest.fixture
def edition(guideline):
    return make_edition(guideline, "2004", date(2007, 6, 15), date(2017, 12, 1))


def make_edition(guideline, label, start, end=None):
    return Edition(guideline=guideline, label=label, valid_from=start, ends_before=end).store(
        by=None, at=MONDAY
    )
