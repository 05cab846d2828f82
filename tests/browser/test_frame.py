"""The frame of every page, as a browser shows it: worked by keys, careful with what people type."""

import pytest
from playwright.sync_api import expect

from accounts.roles import Role
from cases.models import Event
from intake.models import IntakeDraft
from tests.factories import eligible_case, person, received_case
from tests.reviewers.factories import get_category

from .acts import answer_dialog
from .axe import assert_accessible

PASSWORD = "correct horse battery staple"


def sign_in(page, user):
    page.goto("/people/login/")
    page.get_by_label("Email", exact=False).or_(page.get_by_label("Email")).first.fill(user.email)
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


def test_every_row_of_treatment_offers_all_categories_and_keeps_the_chosen_one(clerk, page):
    """The server sends the list with the first row alone."""
    get_category("Imaging")
    chosen = str(get_category("Imaging", "MRI").pk)
    sign_in(page, clerk)
    page.goto("/intake/new/")
    offered = page.locator("#item-0-category option").all_text_contents()
    assert "Imaging: MRI" in offered
    page.keyboard.press("F9")
    page.keyboard.type("Lumbar MRI")
    rows = page.locator("[data-item]")
    for place in range(rows.count()):
        options = rows.nth(place).locator("option").all_text_contents()
        assert options == offered
    added = rows.count() - 1
    rows.nth(added).locator("select").select_option(chosen)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".summary")
    assert page.input_value(f"#item-{added}-category") == chosen
    assert page.locator(f"#item-{added}-category option").all_text_contents() == offered


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
    expect(page.locator("#id_ur_decided")).to_have_value("02/20/2026")
    assert page.locator("[data-item]").count() == 1
    page.keyboard.press("F9")
    page.keyboard.type("Lumbar MRI")
    assert page.locator("[data-item]").count() == 2  # the next one is ready
    page.keyboard.press("F9")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "signed_by"
    expect(page.locator("#items-count")).to_have_text("1 entered")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".summary")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.classList.contains('summary')")
    assert page.input_value("#id_ur_decided") == "02/20/2026"
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


def sign_in_in_another_tab(page, user):
    """Sign out and in again in a second tab, which shares the sign-in of the first."""
    other = page.context.new_page()
    other.goto("/")
    other.locator("button[popovertarget=person]").click()
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, user)
    other.close()


def type_last_name(page, name):
    page.get_by_label("Last name").first.fill(name)
    page.get_by_label("Last name").first.press("Tab")


def test_signing_in_again_elsewhere_leaves_a_half_typed_application_alone(clerk, page):
    sign_in(page, clerk)
    page.goto("/intake/new/")
    type_last_name(page, "Before")
    expect(page.locator("[data-save-state]")).to_contain_text("Saved ")
    sign_in_in_another_tab(page, clerk)

    page.get_by_label("First name").first.fill("Ana")
    expect(page.locator("[data-save-state]")).to_contain_text("Saved ")

    assert page.get_by_label("Last name").first.input_value() == "Before"
    assert page.locator("dialog[open]").count() == 0
    page.goto("/intake/")
    assert "Ana Before" in page.inner_text("main")


def test_text_is_saved_for_another_person_only_if_that_person_agrees(clerk, page):
    other = person(Role.INTAKE)
    sign_in(page, clerk)
    page.goto("/intake/new/")
    sign_in_in_another_tab(page, other)
    type_last_name(page, "Halfway")

    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text(f"{other.name} is signed in now")
    dialog.get_by_role("button", name="Cancel").click()
    assert not IntakeDraft.objects.exists()
    assert page.get_by_label("Last name").first.input_value() == "Halfway"
    page.get_by_label("First name").first.fill("Ana")
    expect(dialog).to_be_visible()
    answer_dialog(page, f"Continue as {other.name}")
    expect(page.locator("[data-save-state]")).to_contain_text("Saved ")
    assert IntakeDraft.objects.get().owner == other


def test_a_form_is_sent_with_the_token_of_the_present_sign_in(case, coordinator, page):
    sign_in(page, coordinator)
    page.goto(f"/cases/{case.number}/")
    page.keyboard.press("m")
    page.get_by_text("Add a note").click()
    page.locator("#id_text").fill("They called.")
    sign_in_in_another_tab(page, coordinator)
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("main")).to_contain_text("They called.")
    assert case.events.filter(kind=Event.Kind.NOTE).exists()


def test_reload_and_back_after_a_refused_form_show_a_page(case, coordinator, page):
    sign_in(page, coordinator)
    page.goto(f"/cases/{case.number}/hold/")
    page.locator("main form[method=post] button[type=submit]").first.click()
    page.wait_for_selector(".summary")
    page.reload()
    assert page.locator("main form[method=post]").count() == 1
    page.locator("main form[method=post] button[type=submit]").first.click()
    page.wait_for_selector(".summary")
    page.goto(f"/cases/{case.number}/")
    page.go_back()
    assert page.locator("main form[method=post]").count() == 1

    page.goto(f"/cases/{case.number}/note/")  # takes forms only
    assert page.url.endswith(f"/cases/{case.number}/")
