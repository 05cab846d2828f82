"""The main work of the roles that the journey of a case does not meet, from the sign-in form on."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from accounts.roles import Role
from cases.services import item_changes
from guidelines.models import Source
from reviewers.models import Reviewer
from tests.factories import person

from . import test_the_journey
from .acts import sign_in_by_form
from .conftest import pages_of
from .journeys import journey_of


@pytest.fixture
def signed_in(work, browser, portal):
    """``signed_in(role)``: this person's first page, reached through the sign-in page."""
    with pages_of(browser, portal.url) as open_page:

        def signed_in(role):
            user = work.people.get(role) or person(role)
            page = open_page()
            sign_in_by_form(page, user)
            return page

        yield signed_in


def follow_side_link(page, name):
    """Follow a link of the side bar."""
    side = page.get_by_role("navigation", name="Work and queues")
    side.get_by_role("link", name=name).first.click()


def test_each_of_the_eleven_roles_has_a_journey():
    tests = [*vars(test_the_journey).items(), *globals().items()]
    found = {
        role
        for name, test in tests
        if name.startswith("test_")
        for role in getattr(test, "drives_roles", ())
    }

    assert found == {
        "ADMINISTRATOR", "INTAKE", "SUPERVISOR", "COORDINATOR", "CREDENTIALING", "REVIEWER", "QA",
        "DIRECTOR", "MAILROOM", "GUIDELINE_ADMIN", "AUDITOR",
    }  # fmt: skip


@journey_of(Role.SUPERVISOR)
def test_an_intake_supervisor_accepts_a_change_that_a_clerk_proposed(work, signed_in):
    item = work.eligible().items.get()
    item_changes.propose_item_change(
        item_id=item.pk,
        facts=item_changes.ItemValues(title="Epidural injection, with imaging"),
        seen_version=None,
        why="The application says so.",
        by=work.people[Role.INTAKE],
        at=work.now,
    )
    page = signed_in(Role.SUPERVISOR)

    follow_side_link(page, "Item changes")
    page.get_by_role("link", name="Decide").click()
    expect(page.locator("ins").first).to_contain_text("with imaging")
    page.get_by_role("button", name="Accept change").click()

    expect(page.get_by_role("status").first).to_be_visible()
    item.refresh_from_db()
    assert item.title == "Epidural injection, with imaging"


@journey_of(Role.CREDENTIALING)
def test_credentialing_adds_a_reviewer_to_the_panel(signed_in):
    page = signed_in(Role.CREDENTIALING)

    follow_side_link(page, "Reviewers")
    page.get_by_role("link", name="New reviewer").click()
    page.get_by_label("First name").fill("Noor")
    page.get_by_label("Last name").fill("Haddad")
    page.get_by_label("Email").fill("noor.haddad@example.org")
    page.locator("main form button[type=submit]").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Haddad")
    assert Reviewer.objects.get(last_name="Haddad").first_name == "Noor"


@journey_of(Role.ADMINISTRATOR)
def test_an_administrator_lets_a_new_person_in(signed_in):
    page = signed_in(Role.ADMINISTRATOR)

    follow_side_link(page, "People")
    page.get_by_role("link", name="Add user").click()
    page.locator("#id_email").fill("new.clerk@example.org")
    page.locator("#id_name").fill("Nia Clerk")
    page.get_by_label("Intake: ").check()
    page.locator("#id_new_password").fill("a passphrase of the first day 7")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("link", name="Nia Clerk").first).to_be_visible()
    assert User.objects.get(email="new.clerk@example.org").roles == {Role.INTAKE}


@journey_of(Role.GUIDELINE_ADMIN)
def test_a_guideline_administrator_changes_a_source(signed_in):
    source = Source.objects.order_by("pk").first()
    page = signed_in(Role.GUIDELINE_ADMIN)

    page.get_by_role("link", name="Guidelines", exact=True).first.click()
    page.get_by_role("link", name="Sources", exact=True).first.click()
    page.locator("#result_list tbody th a").first.click()
    name = page.locator("#id_name")
    changed = f"{name.input_value()} (revised)"
    name.fill(changed)
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#result_list")).to_contain_text("(revised)")
    assert source is None or Source.objects.filter(name=changed).exists()


@journey_of(Role.AUDITOR)
def test_an_auditor_sees_who_looked_at_a_case(work, signed_in):
    case = work.received()
    page = signed_in(Role.AUDITOR)

    follow_side_link(page, "Eligibility")
    page.get_by_role("link", name=case.number).click()
    page.get_by_role("link", name="Timeline").click()
    page.locator("main").get_by_role("link", name="Access log").click()

    expect(page.get_by_role("heading", name="Access log", exact=True)).to_be_visible()
    visit = page.get_by_role("row").filter(has=page.locator("summary")).first
    expect(visit).to_contain_text("page")
    visit.locator("summary").click()
    expect(visit.locator("li").first).to_be_visible()
