"""The main job in a browser that runs no scripts: every step is a plain form and a plain page."""

import pytest
from playwright.sync_api import expect

from accounts.roles import Role
from cases.models import Case
from tests.letters.factories import file_all_letters
from tests.records.factories import pdf_bytes

from .acts import sent_by
from .test_the_journey import words_of

SUMMARY = "The injured worker is a 58 year old woman with neck pain."
RATIONALE = "The guideline asks for six weeks of relief. The record shows nine days."


@pytest.fixture
def plain(work, visit):
    """``plain(role)``: this person's browser, without scripts."""
    opened = {}

    def plain(role):
        if role not in opened:
            opened[role] = visit(work.people[role], java_script_enabled=False)
        return opened[role]

    return plain


def expect_message(page, words):
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def make_file(name, text, pages=1):
    body = pdf_bytes(pages=pages, text=text)
    return {"name": name, "mimeType": "application/pdf", "buffer": body}


def test_the_main_job_needs_no_scripts(plain, work):
    number = enter_application(plain(Role.INTAKE))
    case = Case.objects.get(number=number)
    coordinator = plain(Role.COORDINATOR)
    find_eligible(coordinator, number)
    send_notices(coordinator, plain(Role.MAILROOM), number, at=work.now)
    take_in_records(coordinator, number)
    coordinator.goto(f"/cases/{number}/assign/")
    coordinator.get_by_role("button", name="Rank reviewers").click()
    coordinator.get_by_role("button", name="Assign to Alice Whitfield", exact=True).click()
    expect_message(coordinator, "was offered to")
    write_review(plain(Role.REVIEWER), case)
    issue_determination(plain(Role.QA), plain(Role.DIRECTOR), number)
    mark_determination_sent(plain(Role.MAILROOM), number, at=work.now)


def enter_application(page):
    page.goto("/intake/new/")
    page.set_input_files("#id_scan", make_file("application.pdf", "Application without scripts"))
    page.get_by_role("textbox", name="Treatment 1", exact=True).fill("First injection")
    category = page.get_by_label("Category of treatment 1", exact=True)
    category.select_option(label="Injection: Injection")
    rows = page.get_by_role("group", name="Treatment")
    before = rows.count()
    page.get_by_role("button", name="Add a treatment").click()
    expect(rows).to_have_count(before + 7)  # six, and the empty row that follows
    expect(page.get_by_text("application.pdf")).to_be_visible()
    for field, words in {
        "first_name": "Amara",
        "last_name": "Nwosu",
        "claim_number": "06-4711",
        "date_of_injury": "2/11/24",
        "ur_decided": "-9",
        "employer": "Redwood Mills",
        "employee_address": "2210 Alder Street\nStockton, CA 95204",
        "physician_last": "Oyelaran",
        "administrator": "Pacific Comp Claims",
        "administrator_address": "PO Box 40122\nSacramento, CA 95841",
        "items_on_form": "2",
    }.items():
        page.fill(f"#id_{field}", words)
    page.get_by_label("Served by").select_option(value="mail_ca")
    page.get_by_label("UR decision served on").fill("-9")
    page.get_by_label("Signed by").select_option(value="EMPLOYEE")
    page.get_by_label("Signed on").fill("-3")
    page.get_by_label("Is the UR decision attached?").select_option(value="yes")
    page.get_by_label("Is liability also disputed?").select_option(value="no")
    last = page.get_by_role("textbox", name=f"Treatment {before + 6}", exact=True)
    last.fill("Second injection")
    category = page.get_by_label(f"Category of treatment {before + 6}", exact=True)
    category.select_option(label="Injection: Injection")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_message(page, "was saved")
    return page.locator("h1.id").inner_text()


def find_eligible(page, number):
    for position in (1, 2):
        page.goto(f"/cases/{number}/items/{position}/citations/")
        page.get_by_label("The UR decision cites no source").check()
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="UR cites no source")).to_have_count(2)
    page.get_by_role("link", name="Decide eligibility").click()
    for fact in page.locator(".fact").all():
        fact.get_by_label("Yes").check()
    page.get_by_role("button", name="Decide").click()
    expect_message(page, "eligible")


def send_notices(page, mail_room, number, *, at):
    page.goto(f"/cases/{number}/notices/")
    page.get_by_role("button", name="notices").click()
    expect(page.locator(".letter .state").first).to_have_text("Generating")
    file_all_letters(at=at)
    mail_room.goto(f"/cases/{number}/notices/")
    expect(mail_room.locator(".letter .state").first).to_have_text("Ready")
    mail_room.get_by_label("Sent on").fill("t")
    mail_room.get_by_role("button", name="Mark as sent").click()
    expect_message(mail_room, "marked as sent")


def take_in_records(page, number):
    page.goto(f"/cases/{number}/records/")
    page.get_by_label("File", exact=True).set_input_files(make_file("r.pdf", "Consultation", 2))
    page.get_by_label("Type").select_option(label="Consultation")
    page.get_by_label("Sent by").select_option(label="Claims administrator")
    page.get_by_role("button", name="Add record").click()
    expect_message(page, "Added as document")
    complete = page.get_by_role("region", name="Mark the records complete")
    complete.get_by_role("radio").first.check()
    complete.get_by_label("Last record received").fill("t")
    complete.get_by_role("button", name="Mark complete").click()
    expect_message(page, "Records marked complete")


def write_review(page, case):
    page.goto("/reviews/")
    page.get_by_role("link", name="Respond").click()
    for question in page.locator(".fact").all():
        question.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Sign attestation").click()
    page.get_by_role("button", name="Open the case file").click()
    viewer = page.get_by_role("region", name="Record viewer")
    expect(viewer).to_contain_text("p. 1 / 3")
    viewer.get_by_role("link", name="Next").click()
    expect(viewer).to_contain_text("p. 2 / 3")
    viewer.get_by_role("button", name="Reviewed").click()
    expect(viewer.get_by_role("button", name="Reviewed ✓")).to_be_visible()

    page.get_by_label("Summary", exact=True).fill(SUMMARY)
    page.get_by_role("button", name="Save", exact=True).click()
    expect_message(page, "Saved.")
    expect(page.get_by_label("Summary", exact=True)).to_have_value(SUMMARY)
    for position, item in enumerate(case.items.order_by("position"), start=1):
        page.get_by_role("link", name=f"Item {position} of 2").click()
        page.get_by_label("Upheld").check()
        page.get_by_label("Rationale").fill(RATIONALE)
        page.get_by_label("Rank of evidence").select_option(value="A")
        page.get_by_role("button", name="Save", exact=True).click()
        expect_message(page, "Saved.")
        expect(page.get_by_role("heading", name=item.title)).to_be_visible()
        page.get_by_label("Find a guideline").fill("epidural")
        page.get_by_label("Find a guideline").press("Enter")
        page.get_by_role("list", name="Guidelines found").get_by_role("button").first.click()
        expect(page.locator("#citations li")).to_have_count(1)
        page.get_by_text("Cite another source").click()
        page.get_by_label("Citation as printed in the letter").fill("A society’s guideline, 2024")
        page.get_by_role("button", name="Add citation").click()
        expect(page.locator("#citations li")).to_have_count(2)
    expect(page.locator("#checks")).to_contain_text("Nothing is missing")
    page.get_by_role("button", name="Submit to QA").click()
    expect_message(page, "in QA review")


def issue_determination(quality, director, number):
    quality.goto(f"/cases/{number}/quality/")
    expect(quality.get_by_text(RATIONALE).first).to_be_visible()
    quality.get_by_role("button", name="Approve").click()
    expect_message(quality, "approved. The medical director")
    director.goto(f"/cases/{number}/issue/")
    preview = sent_by(director.get_by_role("button", name="Open the letter"))
    assert preview.ok, preview.text()
    assert RATIONALE in words_of(preview.body())
    director.get_by_role("button", name="Issue").click()
    expect_message(director, "issued. The letter")
    letter = director.locator(".letter").filter(has_text="Final determination")
    expect(letter.locator(".state")).to_have_text("Generating")


def mark_determination_sent(page, number, *, at):
    (letter,) = file_all_letters(at=at)
    page.goto(f"/cases/{number}/send/")
    expect(page.locator(".letter .state")).to_have_text("Ready")
    pdf = page.request.get(page.get_by_role("link", name="PDF").get_attribute("href")).body()
    assert "Second injection" in words_of(pdf)
    page.get_by_role("button", name="Mark as sent").click()
    expect_message(page, "marked as sent")
    assert letter.reference == number
