"""The eligibility page in a browser: few keys, the scan beside the form, a reason with a No."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from cases.models import ApplicationPaper, ServiceMethod
from deadlines.days import local_day
from files.services import receive_upload
from intake.services.receiving import AttachedFile, ItemOnForm, URDecisionOnForm
from records.services import documents
from tests.factories import person, received_case, scanned_file

from .axe import assert_accessible
from .test_frame import sign_in

TWELVE = [ItemOnForm(f"Physical therapy, visit {at} of 12") for at in range(1, 13)]


@pytest.fixture
def case(committed_db):
    now = timezone.now()
    stored = receive_upload(upload=scanned_file(pages=3), at=now)
    today = local_day(now)
    case = received_case(
        at=now,
        items=TWELVE,
        signed_on=today - timedelta(days=3),
        ur_decision=URDecisionOnForm(
            decided_on=today - timedelta(days=9),
            served_on=today - timedelta(days=9),
            service_method=ServiceMethod.MAIL_CA,
            liability_disputed=False,
        ),
        papers=[AttachedFile(ApplicationPaper.Kind.APPLICATION, stored, "form.pdf")],
    )
    documents.file_application_documents(case_id=case.pk, by=None, at=now)
    return case


@pytest.fixture
def coordinator(committed_db):
    return person(Role.COORDINATOR)


def open_page(page, case, coordinator):
    sign_in(page, coordinator)
    page.goto(f"/cases/{case.number}/eligibility/")


@pytest.mark.capability("EL-1")
def test_twelve_like_items_are_decided_in_at_most_fifteen_keystrokes(case, coordinator, page):
    open_page(page, case, coordinator)
    pressed = []

    def press(keys):
        pressed.extend(keys.split("+"))
        page.keyboard.press(keys)

    for key in "ud":
        press(key)
    read = page.locator("[data-read]")
    assert read.all_inner_texts() == ["Yes"] * 12
    press("Control+Enter")
    page.wait_for_url(f"**/cases/{case.number}/")

    case.refresh_from_db()
    assert case.status == "ELIGIBLE"
    assert set(case.items.values_list("ur_outcome", flat=True)) == {"DENIED"}
    assert len(pressed) <= 15


def test_a_reason_appears_with_a_no_and_disappears_with_a_yes(case, coordinator, page):
    open_page(page, case, coordinator)
    reason = page.locator("[name=reason_SIGNED]")
    assert not reason.is_visible()
    page.locator("#id_SIGNED_1").check()
    assert reason.is_visible()
    page.locator("#id_SIGNED_0").check()
    assert not reason.is_visible()

    item = case.items.get(position=2)
    own = page.locator(f"[name=reason_{item.pk}]")
    assert not own.is_visible()
    page.locator(f"[name=outcome_{item.pk}]").select_option("APPROVED")
    assert own.is_visible()
    assert page.locator("[data-read]").nth(1).inner_text() == "No"


@pytest.mark.parametrize("size", [(1440, 900), (375, 812)], ids=["desk", "phone"])
def test_the_scan_stands_by_the_form_and_decide_stays_in_view(case, coordinator, new_page, size):
    page = new_page(viewport={"width": size[0], "height": size[1]})
    open_page(page, case, coordinator)
    scan, form = page.locator("#scans").bounding_box(), page.locator("form[data-screening]")
    beside = form.bounding_box()
    if size[0] > 1000:
        assert scan["x"] + scan["width"] <= beside["x"]
    else:
        assert scan["y"] + scan["height"] <= beside["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.locator("h2", has_text="Eligibility review").scroll_into_view_if_needed()
    decide = page.get_by_role("button", name="Decide")
    for at in (0, 5, 11):
        page.locator("[name^=outcome_]").nth(at + 1).focus()
        box = decide.bounding_box()
        assert 0 <= box["y"] <= size[1] - box["height"]
    # Where the bar has reached the end of the form, it covers no control in part.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert_accessible(page)


def test_the_keys_turn_the_pages_of_the_scan(case, coordinator, page):
    open_page(page, case, coordinator)
    page.wait_for_function("document.querySelector('.scan img').complete")
    page.keyboard.press("F8")
    page.wait_for_function("document.querySelector('.scan').scrollTop > 100")


def test_without_scripts_one_choice_decides_all_items(case, coordinator, new_page):
    page = new_page(java_script_enabled=False)
    page.goto("/people/login/")
    page.get_by_label("Email").first.fill(coordinator.email)
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"/cases/{case.number}/eligibility/")
    assert not page.locator("[name=reason_SIGNED]").is_visible()
    page.locator("#id_SIGNED_1").check()
    assert page.locator("[name=reason_SIGNED]").is_visible()
    page.locator("#id_SIGNED_0").check()
    page.locator("[name=outcome_of_all]").select_option("DENIED")
    page.get_by_role("button", name="Decide").click()
    case.refresh_from_db()
    assert case.status == "ELIGIBLE"


def test_a_session_that_changed_hands_decides_nothing(case, coordinator, page):
    open_page(page, case, coordinator)
    clerk = person(Role.INTAKE)
    other = page.context.new_page()
    other.goto("/")
    other.locator(".top button[popovertarget=person]").click()
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, clerk)
    page.locator("[name=outcome_of_all]").select_option("DENIED")
    page.get_by_role("button", name="Decide").click()
    page.wait_for_load_state()
    case.refresh_from_db()
    assert case.status == "SCREENING"
    assert not case.items.exclude(ur_outcome="").exists()
    assert timezone.now() - case.received_at < timedelta(days=1)
