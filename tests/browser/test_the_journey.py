"""The whole main job in the browser, from a paper application to a letter that is sent.

Everything is real: the web server, the broker, the relay, the worker and Debian's Chromium. Only
what stands before the first application is set up by services.
"""

import io

import pypdfium2
import pytest
from playwright.sync_api import expect

from accounts.roles import Role
from tests.records.factories import pdf_bytes

from .acts import answer_dialog, check_radio, sent_by, sign_in_by_form
from .journeys import journey_of

pytestmark = pytest.mark.usefixtures("mail_processes")

TREATMENT = "Cervical epidural steroid injection at C3-4"
FILED = 60_000  # ms; a loaded machine takes a while to render the first letters
SUMMARY = "The injured worker is a 58 year old woman with neck pain after a lifting injury."
RATIONALE = "The guideline asks for six weeks of relief. The record shows nine days."
CHANGED = "The guideline asks for six weeks of relief. The record shows relief for nine days."
IN_WORDS = "North American Spine Society, coverage recommendations, 2020"
COMMENT = "Say what the record shows for nine days."


def make_file(name, text, pages=1):
    """A file as a person chooses it."""
    return {
        "name": name,
        "mimeType": "application/pdf",
        "buffer": pdf_bytes(pages=pages, text=text),
    }


def words_of(pdf):
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    text = " ".join(page.get_textpage().get_text_bounded() for page in document)
    return " ".join(text.split())


@pytest.fixture
def person(work, browser, portal):
    """``person(role)``: this person's own browser, signed in through the sign-in page."""
    from .conftest import pages_of

    with pages_of(browser, portal.url) as open_page:
        opened = {}

        def person(role):
            if role not in opened:
                opened[role] = open_page()
                sign_in_by_form(opened[role], work.people[role])
            return opened[role]

        yield person


@journey_of(Role.INTAKE, Role.COORDINATOR, Role.MAILROOM, Role.REVIEWER, Role.QA, Role.DIRECTOR)
def test_an_application_becomes_a_letter_that_is_sent(work, person):
    number = intake_enters_the_application(person(Role.INTAKE))
    coordinator = person(Role.COORDINATOR)
    the_coordinator_finds_it_eligible(coordinator, number)
    notices_are_made_and_filed_before_our_eyes(coordinator, number)
    the_mail_room_sends_the_notices(person(Role.MAILROOM), number)
    records_are_taken_in(coordinator, number)
    a_reviewer_is_chosen(coordinator, number)
    reviewer = person(Role.REVIEWER)
    the_reviewer_attests(reviewer, number)
    the_reviewer_reads_and_writes(reviewer)
    the_reviewer_submits(reviewer, number)
    quality = person(Role.QA)
    quality_asks_for_changes(quality, number)
    the_reviewer_changes_what_was_asked(reviewer, number)
    quality_approves(quality, number)
    letter = the_director_issues(person(Role.DIRECTOR), number)
    the_letter_says_it_all(letter, number)
    the_mail_room_sends_the_determination(person(Role.MAILROOM), number)
    the_timeline_is_complete(coordinator)


# --- intake --------------------------------------------------------------------------------------


def intake_enters_the_application(page):
    page.get_by_role("link", name="New application").first.click()
    page.set_input_files("#id_scan", make_file("application.pdf", "Application"))
    page.set_input_files("#id_ur_decision_file", make_file("decision.pdf", "UR decision"))
    page.get_by_role("button", name="Show scan").click()
    scan = page.get_by_alt_text("Page 1 of application.pdf")
    expect(scan).to_be_visible()
    assert scan.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100

    page.get_by_label("First name").first.fill("Marisol")
    page.get_by_label("Last name").first.fill("Quintanar")
    page.get_by_text("Middle name, sex").click()
    page.get_by_label("Sex").select_option(label="Female")
    page.get_by_label("Date of birth").fill("3/14/68")
    page.get_by_label("Date of injury").fill("2/11/24")
    page.get_by_label("Claim number").fill("06-2213-00042")
    page.get_by_label("Date of UR decision").fill("-12")
    page.keyboard.press("Tab")
    expect(page.locator("#id_ur_decided_echo")).to_contain_text("12 days before receipt")
    page.locator("#id_employee_address").fill("2210 Alder Street\nStockton, CA 95204")
    page.get_by_label("Employer").fill("Harbor Cold Storage")
    page.locator("#id_physician_first").fill("Dana")
    page.locator("#id_physician_last").fill("Oyelaran")
    page.locator("#id_physician_address").fill("900 Spine Avenue\nModesto, CA 95350")
    page.locator("#id_administrator").fill("Pacific Comp Claims")
    page.locator("#id_administrator_address").fill("PO Box 40122\nSacramento, CA 95841")
    page.get_by_label("Primary diagnosis").fill("M54.12")
    page.get_by_label("Treatments on the form").fill("1")
    page.get_by_role("textbox", name="Treatment 1", exact=True).fill(TREATMENT)
    page.get_by_label("Category of treatment 1", exact=True).select_option(
        label="Injection: Injection"
    )
    expect(page.locator("#items-count")).to_have_text("1 on the form, 1 entered")
    page.get_by_label("Signed by").select_option(label="Employee")
    page.get_by_label("Signed on").fill("-4")
    page.get_by_label("Consent to obtain records").fill("-4")
    page.get_by_label("UR decision served on").fill("-12")
    page.get_by_label("Served by").select_option(value="mail_ca")
    page.get_by_label("Is the UR decision attached?").select_option(label="Yes")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    number = page.locator("h1.id").inner_text()
    expect(page.get_by_text(TREATMENT)).to_be_visible()
    return number


# --- eligibility, notices, records ---------------------------------------------------------------


def from_queue(page, queue, number):
    """Open a case from its list, as people find their work."""
    page.goto("/")
    page.get_by_role("navigation", name="Work and queues").get_by_role("link", name=queue).click()
    page.get_by_role("link", name=number).click()
    expect(page.locator("h1.id")).to_have_text(number)


def next_step(page, label):
    page.get_by_role("region", name="Next step").get_by_role("link", name=label).click()


def the_coordinator_finds_it_eligible(page, number):
    from_queue(page, "Eligibility", number)
    page.get_by_role("link", name="Enter UR citations").click()
    source = page.get_by_role("group", name="Source 1")
    source.get_by_label("Kind").select_option(label="MTUS chapter")
    source.get_by_label("Chapter").fill("Chronic Pain Medical Treatment")
    source.get_by_label("Edition").fill("2016")
    source.get_by_label("Sections").fill("Epidural steroid injections (ESIs)")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="UR cites 1 source")).to_be_visible()

    next_step(page, "Decide eligibility")
    expect(page.locator("h1 ~ p").first).to_contain_text("Marisol Quintanar")
    for fact in page.locator(".fact").all():
        fact.get_by_label("Yes").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".heading .tag")).to_have_text("Eligible")


def notices_are_made_and_filed_before_our_eyes(page, number):
    next_step(page, "Make notices")
    page.get_by_role("button", name="Make 3 notices").click()
    page.evaluate("window.wasHere = true")
    expect(page.locator(".letter .state")).to_have_text(["Ready"] * 3, timeout=FILED)
    assert page.evaluate("window.wasHere"), "the page was loaded again"
    assert page.evaluate("document.activeElement !== null")


def the_mail_room_sends_the_notices(page, number):
    from_queue(page, "Notices", number)
    next_step(page, "Mark as sent")
    page.get_by_label("Sent on").fill("t")
    page.get_by_role("button", name="Mark as sent").click()
    expect(page.locator(".heading .tag")).to_have_text("Awaiting records")


def records_are_taken_in(page, number):
    from_queue(page, "Awaiting records", number)
    next_step(page, "Open records")
    for kind, title, pages in (
        ("Consultation", "Orthopedic consultation", 2),
        ("Imaging report", "CT of the cervical spine", 1),
    ):
        page.get_by_label("File", exact=True).set_input_files(make_file("record.pdf", title, pages))
        page.get_by_label("Type").select_option(label=kind)
        page.get_by_label("Sent by").select_option(label="Claims administrator")
        page.get_by_label("Title").fill(title)
        page.get_by_label("Date, or first day").fill("-30")
        page.get_by_role("button", name="Add record").click()
        expect(page.get_by_role("link", name=title)).to_be_visible()
    complete = page.get_by_role("region", name="Mark the records complete")
    complete.get_by_role("radio").first.check()
    complete.get_by_label("Last record received").fill("t")
    complete.get_by_role("button", name="Mark complete").click()
    expect(page.locator(".heading .tag")).to_have_text("Ready to assign")


# --- the reviewer --------------------------------------------------------------------------------


def a_reviewer_is_chosen(page, number):
    next_step(page, "Assign a reviewer")
    first = page.locator(".candidate").first
    expect(first).to_contain_text("Alice Whitfield")
    expect(first).to_contain_text("fits")
    expect(first).to_contain_text("No affiliation with a party is on file")
    first.get_by_role("button", name="Assign to Alice Whitfield", exact=True).click()
    expect(page.locator(".heading .tag")).to_have_text("Offered to a reviewer")


def the_reviewer_attests(page, number):
    page.get_by_role("link", name="Respond").click()
    expect(page.get_by_text("Marisol Quintanar")).to_be_visible()
    for question in page.locator("main form").first.get_by_role("group").all():
        question.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Sign attestation").click()
    expect(page.get_by_role("status").filter(has_text="Its records are open")).to_be_visible()


def the_reviewer_reads_and_writes(page):
    viewer = page.get_by_role("region", name="Record viewer")
    total = 5  # two papers of the application, three pages of records
    for seen in range(1, total + 1):
        expect(viewer).to_contain_text(f"p. {seen} / {total}")
        picture = viewer.get_by_role("img")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        if seen < total:
            viewer.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Opened 4 of 4")).to_be_visible()

    page.get_by_label("Summary", exact=True).fill(SUMMARY)
    saved = page.locator("[data-save-state]")
    expect(saved).to_have_text("Not saved yet")
    expect(saved).to_contain_text("Saved ")
    page.get_by_role("button", name="Next item").click()

    expect(page.get_by_text("Claims administrator: Decision based on")).to_be_visible()
    check_radio(page.get_by_label("Upheld"))
    page.get_by_label("Rationale").fill(RATIONALE)
    page.get_by_label("Rank of evidence").select_option(value="A")
    expect(saved).to_contain_text("Saved ")

    page.get_by_label("Find a guideline").press_sequentially("epidural")
    page.get_by_role("list", name="Guidelines found").get_by_role("button").first.click()
    cited = page.locator("#citations li")
    expect(cited).to_have_count(1)
    expect(cited).to_contain_text("Epidural")
    page.get_by_text("Cite another source").click()
    page.get_by_label("Citation as printed in the letter").fill(IN_WORDS)
    page.get_by_role("button", name="Add citation").click()
    expect(cited).to_have_count(2)
    expect(cited.last).to_contain_text(IN_WORDS)
    expect(page.locator("#checks")).to_contain_text("Nothing is missing")


def the_reviewer_submits(page, number):
    preview = sent_by(page.get_by_role("button", name="Preview letter"))
    assert preview.headers["content-type"] == "application/pdf"
    assert RATIONALE in words_of(preview.body())
    page.get_by_role("button", name="Submit to QA").click()
    answer_dialog(page, "Sign and submit")
    expect(page.get_by_role("status").filter(has_text="in QA review")).to_be_visible()


def quality_asks_for_changes(page, number):
    from_queue(page, "QA review", number)
    next_step(page, "Check quality")
    expect(page.get_by_text(RATIONALE)).to_be_visible()
    page.get_by_label("About").select_option(index=1)
    page.get_by_label("Comment").fill(COMMENT)
    page.get_by_role("button", name="Return for changes").click()
    expect(page.get_by_role("status").filter(has_text="returned to the reviewer")).to_be_visible()


def the_reviewer_changes_what_was_asked(page, number):
    page.goto("/reviews/")
    page.get_by_role("link", name="Open review").click()
    expect(page.get_by_text(COMMENT)).to_be_visible()
    page.get_by_role("link", name="Item 1 of 1").click()
    page.get_by_label("Rationale").fill(CHANGED)
    expect(page.locator("[data-save-state]")).to_contain_text("Saved ")
    page.get_by_role("button", name="Submit to QA").click()
    answer_dialog(page, "Sign and submit")
    expect(page.get_by_role("status").filter(has_text="in QA review")).to_be_visible()


def quality_approves(page, number):
    page.goto(f"/cases/{number}/quality/")
    expect(page.get_by_role("heading", name="Changes since the last QA review")).to_be_visible()
    expect(page.locator("ins")).to_contain_text(["relief for"])
    page.get_by_role("button", name="Approve").click()
    answer_dialog(page, "Approve")
    expect(
        page.get_by_role("status").filter(has_text="The medical director can issue")
    ).to_be_visible()


# --- the letter ----------------------------------------------------------------------------------


def the_director_issues(page, number):
    from_queue(page, "Ready to issue", number)
    next_step(page, "Issue")
    page.get_by_role("button", name="Issue").click()
    answer_dialog(page, "Issue")
    expect(page.get_by_role("alert").filter(has_text="preview")).to_be_visible()

    letter = sent_by(page.get_by_role("button", name="Open the letter"))
    assert CHANGED in words_of(letter.body())
    page.get_by_role("button", name="Issue").click()
    answer_dialog(page, "Issue")
    expect(page.get_by_role("status").filter(has_text="issued. The letter")).to_be_visible()
    page.evaluate("window.wasHere = true")
    letter = page.locator(".letter").filter(has_text="Final determination")
    expect(letter.locator(".state")).to_have_text("Ready", timeout=FILED)
    assert page.evaluate("window.wasHere"), "the page was loaded again"
    return page.request.get(letter.get_by_role("link").get_attribute("href")).body()


def the_letter_says_it_all(pdf, number):
    text = words_of(pdf)
    for words in (number, "Upheld", SUMMARY, CHANGED, IN_WORDS, TREATMENT):
        assert words in text
    assert "Whitfield" not in text
    assert b"Whitfield" not in pdf


def the_mail_room_sends_the_determination(page, number):
    from_queue(page, "To be sent", number)
    next_step(page, "Mark as sent")
    expect(page.get_by_text("Pacific Comp Claims")).to_be_visible()
    page.get_by_role("button", name="Mark as sent").click()
    answer_dialog(page, "Mark as sent")
    expect(page.locator(".heading .tag")).to_have_text("Closed")


def the_timeline_is_complete(page):
    page.get_by_role("link", name="Timeline").click()
    page.reload()
    acts = page.locator(".line > li > b").all_inner_texts()
    assert list(reversed(acts)) == [
        "Application received",
        "Details changed",
        "Record added",  # the scans of the application, which are shown beside the six facts
        "Found eligible",
        "NOARFI notices prepared",
        "NOARFI notices sent",
        "Record added",
        "Record added",
        "Records marked complete",
        "Offered to a reviewer",
        "Reviewer attested no conflict",
        "Case file sent to the reviewer",
        "Review submitted",
        "Returned by quality assurance",
        "Review submitted",
        "Approved by quality assurance",
        "Determination issued",
        "Letter sent",
    ]
    expect(page.get_by_text(f"Reason: {COMMENT}")).to_be_visible()
