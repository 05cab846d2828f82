"""The journey without a mouse: what keys do, where they do nothing, where the focus goes."""

import pytest
from playwright.sync_api import expect

from accounts.roles import Role
from cases.models import Case

from .acts import describe_focused_element


def press_keys(page, *pressed):
    """Press keys one after the other, once the scripts of the page know what is on it."""
    page.wait_for_load_state("load")
    expect(page.locator(".htmx-added")).to_have_count(0)
    for key in pressed:
        page.keyboard.press(key)


def expect_focus(page):
    """Something on the page has the focus, not the page itself; after a swap it takes a turn."""
    expect(page.locator(":focus")).to_have_count(1)


@pytest.fixture
def answered(visit):
    """Answer the check step by the keyboard; it does not take the key that opened it."""

    def answer(page):
        dialog = page.get_by_role("dialog")
        expect(dialog.locator("button.primary")).to_be_focused()
        for _ in range(20):
            press_keys(page, "Enter")
            try:
                expect(dialog).to_have_count(0, timeout=400)
            except AssertionError:
                continue
            return
        raise AssertionError("The dialog does not take Enter for an answer.")

    return answer


def test_an_application_is_keyed_and_accepted(work, visit):
    page = visit(work.people[Role.INTAKE])
    press_keys(page, "g", "n")
    page.wait_for_url("**/intake/new/")
    page.locator("#id_first_name").focus()
    for words in ("Tanya", "Brandt", "", "", "031468", "06-991", "02112024", "-8"):
        page.keyboard.type(words)
        press_keys(page, "Tab")
    page.locator("#id_employer").focus()
    page.keyboard.type("Mesa Clinics")
    page.locator("#id_physician_last").focus()
    page.keyboard.type("Oyelaran")
    page.locator("#id_administrator").focus()
    page.keyboard.type("Pacific Comp Claims")
    press_keys(page, "F9")
    page.keyboard.type("TENS unit, purchase")
    assert page.evaluate("document.activeElement.name") == "item_title"
    press_keys(page, "Control+Enter")
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    case = Case.objects.get(claim_number="06-991")
    assert [item.title for item in case.items.all()] == ["TENS unit, purchase"]


def test_a_queue_is_walked_and_left(work, visit):
    work.received(title="First treatment")
    work.received(title="Second treatment")
    page = visit(work.people[Role.COORDINATOR])
    press_keys(page, "g", "e")
    page.wait_for_url("**/queues/eligibility/")
    numbers = page.locator("tbody [data-open]").all_inner_texts()
    assert len(numbers) >= 2
    press_keys(page, "j")
    assert numbers[0] in describe_focused_element(page)
    expect(page.locator("#peek h2")).to_have_text(numbers[0])
    assert numbers[0] in describe_focused_element(page), "the panel beside the list took the focus"
    press_keys(page, "j")
    assert numbers[1] in describe_focused_element(page)
    expect(page.locator("#peek h2")).to_have_text(numbers[1])
    press_keys(page, "k", "Enter")
    page.wait_for_url(f"**/cases/{numbers[0]}/")


def test_a_reviewer_is_assigned_with_one_key(work, visit):
    case = work.complete()
    page = visit(work.people[Role.COORDINATOR], f"/cases/{case.number}/")
    press_keys(page, ".")
    page.wait_for_url("**/assign/")
    expect(page.get_by_role("button", name="Assign to Alice Whitfield", exact=True)).to_be_visible()
    press_keys(page, "1")
    expect(page.locator(".heading .tag")).to_have_text("Offered to a reviewer")


def test_reviewers_are_assigned_case_after_case(work, visit):
    first, second = work.complete(), work.complete()
    page = visit(work.people[Role.COORDINATOR], f"/cases/{first.number}/assign/")
    expect(page.get_by_role("button", name="Assign to Alice Whitfield", exact=True)).to_be_visible()
    press_keys(page, "?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Go to the candidates")
    expect(dialog).to_contain_text("Assign to Alice Whitfield and open the next case")
    expect(dialog).to_contain_text("Batch assignment")
    press_keys(page, "Escape", "a")
    expect(page.get_by_role("button", name="Assign to Alice Whitfield", exact=True)).to_be_focused()
    press_keys(page, "Shift+Digit1")
    page.wait_for_url("**/assign/")
    expect(page.get_by_role("status").filter(has_text=first.number)).to_be_visible()
    assert first.number not in page.url
    assert Case.objects.get(pk=first.pk).status == "REVIEWER_CHOSEN"
    assert Case.objects.get(pk=second.pk).status == "RECORDS_COMPLETE"


def test_the_plan_is_walked_and_carried_out(work, visit):
    stays, goes = work.complete(), work.complete()
    page = visit(work.people[Role.COORDINATOR])
    press_keys(page, "g", "a")
    page.wait_for_url("**/reviewers/batch-assignment/")
    lines = page.locator("[data-row] [data-open]")
    numbers = lines.all_inner_texts()
    assert {stays.number, goes.number} <= set(numbers)
    for _ in range(numbers.index(stays.number) + 1):
        press_keys(page, "j")
    assert stays.number in describe_focused_element(page)
    press_keys(page, "x")
    expect(page.locator(f"#choice-{stays.number}")).not_to_be_checked()
    press_keys(page, "Control+Enter")
    expect(page.get_by_role("heading", name="Results")).to_be_visible()
    assert Case.objects.get(pk=goes.pk).status == "REVIEWER_CHOSEN"
    assert Case.objects.get(pk=stays.pk).status == "RECORDS_COMPLETE"


def test_the_work_of_a_reviewer_is_moved(work, visit):
    held = work.in_review()
    page = visit(work.people[Role.COORDINATOR], f"/reviewers/{work.reviewer.code}/")
    page.get_by_role("link", name="Move open cases").press("Enter")
    page.wait_for_url("**/move/")
    expect(page.locator("main")).to_contain_text(held.case.number)
    expect(page.locator("main")).to_contain_text("No reviewer")


def test_a_review_is_read_and_written(work, visit, answered):
    assignment = work.in_review()
    page = visit(work.people[Role.REVIEWER], f"/reviews/{assignment.pk}/")
    viewer = page.get_by_role("region", name="Record viewer")
    expect(viewer).to_contain_text("p. 1 / 3")
    press_keys(page, "j")
    expect(viewer).to_contain_text("p. 2 / 3")
    expect_focus(page)
    press_keys(page, "j")
    expect(viewer).to_contain_text("p. 3 / 3")
    expect_focus(page)
    press_keys(page, "k")
    expect(viewer).to_contain_text("p. 2 / 3")

    panes = []
    for _ in range(3):
        press_keys(page, "F6")
        panes.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert len(set(panes)) == 3, panes
    press_keys(page, "Shift+F6")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == panes[1]

    page.get_by_label("Summary", exact=True).focus()
    page.keyboard.type("jk? No key fires in a field.")
    expect(page.get_by_label("Summary", exact=True)).to_have_value("jk? No key fires in a field.")
    expect(viewer).to_contain_text("p. 2 / 3")
    expect(page.locator("[data-save-state]")).to_contain_text("Saved ")
    page.get_by_role("link", name="Item 1 of 1").press("Enter")
    page.get_by_label("Overturned").focus()
    press_keys(page, "ArrowRight")
    expect(page.get_by_label("Upheld")).to_be_checked()
    press_keys(page, "Escape", "@")
    page.keyboard.type("epidural")
    found = page.get_by_role("list", name="Guidelines found").get_by_role("button").first
    expect(found).to_be_visible()
    found.focus()
    press_keys(page, "Enter")
    expect(page.locator("#citations li")).to_contain_text("Epidural")
    expect_focus(page)
    expect(page.locator("[data-save-state]")).to_contain_text("Saved ")
    press_keys(page, "Control+Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    answered(page)
    expect(page.get_by_role("heading", name="Not submitted yet")).to_be_visible()
    assert "Not submitted yet" in describe_focused_element(page)


def test_quality_approves_and_returns_with_one_key_each(work, visit, answered):
    first, second = work.submitted(), work.submitted()
    page = visit(work.people[Role.QA], f"/cases/{first.number}/quality/")
    press_keys(page, "r")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect_focus(page)
    page.get_by_label("Comment").focus()
    page.keyboard.type("ra")
    expect(page.get_by_label("Comment")).to_have_value("ra")
    press_keys(page, "Escape", "r")
    expect(page.get_by_role("status").filter(has_text="returned to the reviewer")).to_be_visible()

    page.goto(f"/cases/{second.number}/quality/")
    press_keys(page, "a")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(second.number)
    press_keys(page, "Escape")
    expect(dialog).to_have_count(0)
    assert Case.objects.get(pk=second.pk).status == "QA"
    press_keys(page, "a")
    answered(page)
    expect(
        page.get_by_role("status").filter(has_text="approved. The medical director")
    ).to_be_visible()


def test_a_dialog_that_is_left_gives_the_focus_back(work, visit):
    case = work.submitted()
    page = visit(work.people[Role.QA], f"/cases/{case.number}/quality/")
    approve = page.get_by_role("button", name="Approve")
    approve.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    press_keys(page, "Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(approve).to_be_focused()
    press_keys(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Return for changes")
    press_keys(page, "Escape")
    expect(approve).to_be_focused()


def test_a_list_that_is_replaced_gives_the_focus_back_to_its_field(work, visit):
    """Late results take away the one that had the focus; the field that asked gets it."""
    assignment = work.in_review()
    page = visit(work.people[Role.REVIEWER], f"/reviews/{assignment.pk}/")
    page.get_by_role("link", name="Item 1 of 1").click()
    page.locator("#find").fill("epidural")
    found = page.get_by_role("list", name="Guidelines found").get_by_role("button").first
    found.focus()
    with page.expect_response("**/guidelines/**"):
        page.evaluate("() => htmx.trigger(document.getElementById('find').form, 'submit')")
    expect(page.locator("#find")).to_be_focused()


def test_where_single_keys_are_off_only_the_others_work(work, visit):
    case = work.submitted()
    checker = work.people[Role.QA]
    checker.refresh_from_db()
    checker.single_keys = False
    checker.save()
    try:
        page = visit(checker, f"/cases/{case.number}/quality/")
        press_keys(page, "a", "r", "?", "g", "q")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.url.endswith("/quality/")
        press_keys(page, "F6")
        expect_focus(page)
        press_keys(page, "Control+Enter")
        expect(page.get_by_role("dialog")).to_contain_text(case.number)
    finally:
        checker.single_keys = True
        checker.save()
