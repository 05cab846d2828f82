"""What the portal refuses, as a person sees it: in a sentence, and nothing typed is lost."""

from playwright.sync_api import expect

from accounts.roles import Role
from cases.models import Case
from letters.kinds import LetterKind
from letters.models import Letter
from reviewers.models import ReviewerAssignment
from tests.records.factories import pdf_bytes

from .acts import answer_dialog, sent_by


def test_a_page_of_another_role_is_refused_with_a_sentence(work, visit):
    case = work.received()
    page = visit(work.people[Role.INTAKE])

    answer = page.goto(f"/cases/{case.number}/eligibility/")

    assert answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("You do not have access")
    expect(page.get_by_text("Your role does not include this page or action.")).to_be_visible()
    page.get_by_role("link", name="Go to My day").click()
    expect(page.get_by_role("heading", name="My day")).to_be_visible()


def test_an_action_that_is_too_early_is_refused_with_a_sentence(work, visit):
    case = work.received()
    coordinator = visit(work.people[Role.COORDINATOR], f"/cases/{case.number}/assign/")
    expect(coordinator.locator("main")).to_contain_text("is in the “Screening” stage")
    expect(coordinator.get_by_role("button", name="Assign")).to_have_count(0)

    director = visit(work.people[Role.DIRECTOR], f"/cases/{case.number}/issue/")
    expect(director.locator("#why-not")).to_contain_text("is in the “Screening” stage")
    expect(director.get_by_role("button", name="Issue", exact=False)).to_be_disabled()


def test_the_second_of_two_tabs_is_stale_and_keeps_what_was_answered(work, visit):
    case = work.received()
    path = f"/cases/{case.number}/eligibility/"
    first = visit(work.people[Role.COORDINATOR], path)
    second = visit(work.people[Role.COORDINATOR], path)
    for fact in first.locator(".fact").all():
        fact.get_by_label("Unknown").check()
    first.get_by_role("button", name="Decide").click()
    expect(first.locator("h1.id")).to_be_visible()

    for fact in second.locator(".fact").all():
        fact.get_by_label("Yes").check()
    second.locator(".fact").nth(1).get_by_label("Note").fill("Stamped on the last day")
    with second.expect_navigation() as answer:
        second.get_by_role("button", name="Decide").click()

    assert answer.value.status == 409
    expect(second.get_by_role("alert").first).to_contain_text("Someone else changed this")
    expect(second.locator("input[value=YES]:checked")).to_have_count(6)
    expect(second.locator(".fact").nth(1).get_by_label("Note")).to_have_value(
        "Stamped on the last day"
    )
    assert case.eligibility_decisions.count() == 1


def test_accept_pressed_twice_makes_one_case(work, visit):
    page = visit(work.people[Role.INTAKE], "/intake/new/")
    scan_file = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": pdf_bytes()}
    page.set_input_files("#id_scan", scan_file)
    for field, words in {
        "last_name": "Pressedtwice",
        "claim_number": "06-77",
        "ur_decided": "-9",
        "employer": "Harbor Cold Storage",
        "physician_last": "Oyelaran",
        "administrator": "Pacific Comp Claims",
    }.items():
        page.fill(f"#id_{field}", words)
    page.get_by_role("textbox", name="Treatment 1", exact=True).fill("Lumbar MRI")
    page.get_by_role("button", name="Save", exact=True).dblclick()

    expect(page.locator("h1.id")).to_be_visible()
    assert Case.objects.filter(claim_number="06-77").count() == 1


def test_assign_pressed_twice_offers_the_case_once(work, visit):
    case = work.complete()
    page = visit(work.people[Role.COORDINATOR], f"/cases/{case.number}/assign/")

    page.get_by_role("button", name="Assign to Alice Whitfield", exact=True).dblclick()

    expect(page.locator(".heading .tag")).to_have_text("Offered to a reviewer")
    assert ReviewerAssignment.objects.filter(case=case).count() == 1


def test_two_coordinators_cannot_both_assign(work, visit):
    case = work.complete()
    path = f"/cases/{case.number}/assign/"
    first = visit(work.people[Role.COORDINATOR], path)
    second = visit(work.people[Role.COORDINATOR], path)
    first.get_by_role("button", name="Assign to Alice Whitfield", exact=True).click()
    expect(first.locator(".heading .tag")).to_have_text("Offered to a reviewer")

    with second.expect_navigation() as answer:
        second.get_by_role("button", name="Assign to Alice Whitfield", exact=True).click()

    assert answer.value.status == 409
    expect(second.get_by_role("alert").first).to_contain_text(case.number)
    assert ReviewerAssignment.objects.filter(case=case).count() == 1


def test_issue_pressed_twice_writes_one_letter(work, visit):
    case = work.approved()
    director = work.people[Role.DIRECTOR]
    page = visit(director, f"/cases/{case.number}/issue/")
    assert sent_by(page.get_by_role("button", name="Open the letter")).ok
    page.get_by_role("button", name="Issue").dblclick()
    answer_dialog(page, "Issue")

    expect(page.get_by_role("status").filter(has_text="issued. The letter")).to_be_visible()
    assert Letter.objects.filter(reference=case.number, kind=LetterKind.DETERMINATION).count() == 1


def test_issuing_an_unread_determination_is_refused(work, visit):
    case = work.approved()
    page = visit(work.people[Role.DIRECTOR], f"/cases/{case.number}/issue/")
    page.get_by_role("button", name="Issue").click()
    answer_dialog(page, "Issue")

    expect(page.get_by_role("alert").filter(has_text="preview")).to_be_visible()
    assert Case.objects.get(pk=case.pk).status == "APPROVED"
