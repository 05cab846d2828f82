"""Cases at the stages that these tests begin at, each made once for the tests of a file.

What a test changes is rolled back after it, so each finds the case as it was made.
"""

import pytest

from cases.models import Case
from reviewers.models import ReviewerAssignment
from tests.factories import noticed_case

from .factories import case_with_records, in_review


def reload_case(row):
    """The row as it stands in the database, whatever another test did to the object."""
    if isinstance(row, ReviewerAssignment):
        return ReviewerAssignment.objects.select_related("case", "reviewer__user").get(pk=row.pk)
    return Case.objects.get(pk=row.pk)


@pytest.fixture(scope="module")
def awaiting_made(module_db):
    return noticed_case()


@pytest.fixture
def awaiting(awaiting_made):
    """A case past its notices, without a record."""
    return reload_case(awaiting_made)


@pytest.fixture(scope="module")
def incomplete_made(module_db):
    return case_with_records(complete=False)


@pytest.fixture
def incomplete_file(incomplete_made):
    """A case with two records, of three and of two pages, not yet said to be complete."""
    return reload_case(incomplete_made)


@pytest.fixture(scope="module")
def complete_made(module_db):
    return case_with_records()


@pytest.fixture
def complete_file(complete_made):
    """The same, complete."""
    return reload_case(complete_made)


@pytest.fixture(scope="module")
def one_page_made(module_db):
    return case_with_records(pages=(1,))


@pytest.fixture
def one_page(one_page_made):
    """A complete file of one record of one page."""
    return reload_case(one_page_made)


@pytest.fixture(scope="module")
def two_pages_made(module_db):
    return case_with_records(pages=(2,))


@pytest.fixture
def two_pages(two_pages_made):
    """A complete file of one record of two pages."""
    return reload_case(two_pages_made)


@pytest.fixture(scope="module")
def under_review_made(module_db):
    return in_review()


@pytest.fixture
def under_review(under_review_made):
    """The assignment of a reviewer who has attested and opened nothing; five pages in two."""
    return reload_case(under_review_made)


@pytest.fixture(scope="module")
def one_page_under_review_made(module_db):
    return in_review(pages=(1,))


@pytest.fixture
def one_page_under_review(one_page_under_review_made):
    """The same with one record of one page."""
    return reload_case(one_page_under_review_made)
