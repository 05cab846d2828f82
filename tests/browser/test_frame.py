"""The frame of every page, as a browser shows it: worked by keys, careful with what people type."""

import pytest
from playwright.sync_api import expect

from accounts.roles import Role
from tests.factories import eligible_case, person, received_case

from .axe import assert_accessible

PASSWORD = "correct horse battery staple"


def sign_in(page, user):
    page.goto("/people/login/")
    page.get_by_label("E-mail", exact=False).or_(page.get_by_label("Email")).first.fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector(".top button[popovertarget=person]")


@pytest.fixture
def case(committed_db):
    return received_case()


@pytest.fixture
def coordinator(committed_db):
    return person(Role.COORDINATOR)


@pytest.fixture
def clerk(committed_db):
    return person(Role.INTAKE)


def test_eligibility_is_decided_by_keys_alone(case, coordinator, page):
    sign_in(page, coordinator)
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/queues/eligibility/")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == case.number
    page.wait_for_selector("#peek h2")
    assert page.evaluate("document.activeElement.textContent") == case.number
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{case.number}/")
    page.keyboard.press(".")
    page.wait_for_url("**/eligibility/")
    page.keyboard.press("j")
    for key in "111111":
        page.keyboard.press(key)
    assert page.locator("input[value=YES]:checked").count() == 6
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/cases/{case.number}/")
    case.refresh_from_db()
    assert case.status == "ELIGIBLE"


def test_single_keys_do_nothing_in_a_field_or_where_they_are_switched_off(case, coordinator, page):
    coordinator.single_keys = False
    coordinator.save()
    sign_in(page, coordinator)
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.keyboard.press("?")
    assert page.locator("dialog").count() == 0
    assert page.url.endswith("/")
    page.locator("#jump").click()
    page.keyboard.type("ge?")
    assert page.input_value("#jump") == "ge?"


def test_the_dialog_of_keys_gives_the_focus_back(coordinator, page):
    sign_in(page, coordinator)
    page.locator("[data-show-keys]").click()
    page.wait_for_selector("dialog[open]")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.textContent") == "? Keys"


def test_a_closed_dialog_does_not_take_the_focus_from_the_next_key(coordinator, page):
    """A fast typist moves on before the browser sends "close"; the focus stays where it went."""
    sign_in(page, coordinator)
    page.locator("[data-show-keys]").click()
    page.wait_for_selector("dialog[open]")
    page.evaluate("() => { document.querySelector('dialog').close(); jump.focus(); }")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.id") == "jump"


def test_dates_show_how_they_were_read_and_a_refused_form_keeps_what_was_typed(clerk, page):
    sign_in(page, clerk)
    page.goto("/intake/new/")
    page.fill("#id_received", "3/2/26")
    echo = page.locator("#id_ur_decided_echo")
    page.fill("#id_ur_decided", "2202026")
    page.keyboard.press("Tab")
    expect(echo).to_contain_text("is not a date")
    page.fill("#id_ur_decided", "2/20/26")
    page.keyboard.press("Tab")
    expect(echo).to_contain_text("Fri, Feb 20, 2026, 10 days before receipt")
    rows = page.locator("[data-item]").count()
    page.keyboard.press("F9")
    page.keyboard.type("Lumbar MRI")
    assert page.locator("[data-item]").count() == rows + 1
    assert page.inner_text("[data-items-count]") == "1 entered"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".summary")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.classList.contains('summary')")
    assert page.input_value("#id_ur_decided") == "2/20/26"
    assert "Lumbar MRI" in page.eval_on_selector_all(
        "[name=item_title]", "all => all.map(one => one.value)"
    )


def test_an_action_that_cannot_be_undone_asks_for_confirmation(committed_db, coordinator, page):
    case = eligible_case()
    sign_in(page, coordinator)
    page.goto(f"/cases/{case.number}/withdraw/")
    page.fill("#id_reason", "Taken back by letter")
    page.keyboard.press("Control+Enter")
    dialog = page.locator("dialog[open]")
    assert case.number in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert page.url.endswith("/withdraw/")
    case.refresh_from_db()
    assert case.status == "ELIGIBLE"
    page.get_by_role("button", name="Withdraw case").click()
    page.wait_for_timeout(400)  # the dialog ignores a key held down from before it opened
    page.locator("dialog[open]").get_by_role("button", name="Withdraw case").click()
    page.wait_for_url(f"**/cases/{case.number}/")
    case.refresh_from_db()
    assert case.status == "WITHDRAWN"


def test_a_session_that_ends_keeps_the_page_and_its_text(case, coordinator, page):
    sign_in(page, coordinator)
    page.goto("/queues/eligibility/")
    page.context.clear_cookies()
    page.keyboard.press("j")
    page.wait_for_selector("dialog[open]")
    assert "You were signed out" in page.inner_text("dialog[open]")
    assert page.locator("tbody [data-open]").count() == 1


def test_the_forms_work_without_scripts(case, coordinator, new_page):
    page = new_page(java_script_enabled=False)
    sign_in(page, coordinator)
    page.goto(f"/cases/{case.number}/eligibility/")
    for answer in page.locator("input[value=YES]").all():
        answer.check()
    page.get_by_role("button", name="Decide").click()
    page.wait_for_url(f"**/cases/{case.number}/")
    case.refresh_from_db()
    assert case.status == "ELIGIBLE"
