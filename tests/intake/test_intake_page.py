"""The intake page, by HTTP: what it takes, what it refuses beside which field, what it keeps."""

import base64
import html
import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import Role
from cases.forms.item_changes import ItemForm
from cases.models import ApplicationPaper, Case
from files.models import StoredFile
from tests.factories import MONDAY, person
from tests.records.factories import make_upload, pdf_bytes
from tests.reviewers.factories import get_category

pytestmark = pytest.mark.django_db

URL = "/intake/new/"
NOON = MONDAY + timedelta(hours=3)


@pytest.fixture(autouse=True)
def clerk(client, set_clock):
    set_clock(NOON)
    user = person(Role.INTAKE)
    client.force_login(user)
    return user


def make_form_data(**changes):
    """A whole scan as keyed; change what a test is about."""
    return {
        "key": str(uuid4()),
        "channel": "MAIL",
        "priority": "REGULAR",
        "received": "3/2/26",
        "received_time": "08:30",
        "ur_type": "REGULAR",
        "first_name": "Marisol",
        "last_name": "Quintanar",
        "date_of_birth": "3/14/68",
        "employee_address": "PO Box 40122\nSacramento CA 95841",
        "claim_number": "06-2213-77",
        "date_of_injury": "2/11/24",
        "ur_decided": "2/12/26",
        "employer": "Harbor Cold Storage",
        "physician_first": "Dana",
        "physician_last": "Oyelaran",
        "administrator": "Pacific Comp Claims",
        "administrator_channel": "MAIL",
        "items_on_form": "1",
        "signed_by": "EMPLOYEE",
        "signed_on": "20 Feb 2026",
        "ur_attached": "yes",
        "item_title": ["Cervical epidural steroid injection at C3-4", "", ""],
        "item_category": ["", "", ""],
        "item_quantity": ["1", "", ""],
        "item_unit": ["", "", ""],
        "item_body_part": ["Neck", "", ""],
    } | changes


def one_item(**changes):
    row = {"title": "Brace", "category": "", "quantity": "", "unit": "", "body_part": ""} | changes
    return {f"item_{name}": [value] for name, value in row.items()}


def list_field_errors(answer):
    """What stands beside each field: the field's name, then the sentence."""
    form = answer.context["form"]
    return {name: " ".join(found) for name, found in form.errors.items()}


def row_errors(answer):
    return [row.error for row in answer.context["form"].rows if row.error]


def post_refused_form(client, **changes):
    """The refused page, after checking that it keeps what was typed and stores nothing."""
    sent = make_form_data(**changes)
    answer = client.post(URL, sent)
    assert answer.status_code == 422
    assert not Case.objects.exists()
    page = html.unescape(answer.content.decode())
    for name, value in sent.items():
        for text in value if isinstance(value, list) else [value]:
            plain = text if isinstance(text, str) else ""
            assert plain.strip("\n") in page, f"{name} is lost"
    return answer


def make_pdf_upload(name="scan.pdf", **made):
    return SimpleUploadedFile(name, pdf_bytes(**made), content_type="application/pdf")


# --- Taken in -------------------------------------------------------------------------------------


def test_an_entered_application_becomes_a_case(client, clerk):
    page = client.get(URL).content.decode()
    key = re.search(r'name="key" value="([-0-9a-f]+)"', page).group(1)

    answer = client.post(URL, make_form_data(key=key))

    case = Case.objects.get()
    assert answer.status_code == 302
    assert answer.url == case.get_absolute_url()
    assert case.application.entered_by == clerk
    assert case.received_at == MONDAY - timedelta(minutes=30)
    assert case.items.get().body_part == "Neck"
    assert case.application.printed["signed_on"] == "20 Feb 2026"
    assert case.application.signed_on.isoformat() == "2026-02-20"


def test_accept_and_next_opens_an_empty_form(client):
    answer = client.post(URL, make_form_data() | {"next": ""})

    assert answer.url == URL
    assert "was saved. Next step: eligibility review" in client.get(URL).content.decode()


def test_a_double_click_gives_one_case(client):
    sent = make_form_data()

    first, second = client.post(URL, sent), client.post(URL, sent)

    assert first.url == second.url
    assert Case.objects.count() == 1


def test_a_second_application_on_one_decision_is_reported_as_linked(client):
    client.post(URL, make_form_data())
    client.post(URL, make_form_data())

    lead, other = Case.objects.order_by("pk")
    assert other.duplicate_of == lead
    page = client.get(other.get_absolute_url()).content.decode()
    assert f"linked to {lead.number}" in page


def test_a_different_decision_needs_only_its_reason(client):
    client.post(URL, make_form_data())
    client.post(URL, make_form_data(different_because="It denies another drug."))

    assert [case.status for case in Case.objects.order_by("pk")] == ["SCREENING", "SCREENING"]


def test_two_hundred_treatments_fit_one_application(client):
    titles = [f"Treatment {n}" for n in range(200)]
    blank = [""] * 200
    sent = make_form_data(item_title=titles, items_on_form="200")
    sent |= {f"item_{name}": blank for name in ("category", "quantity", "unit", "body_part")}

    assert client.post(URL, sent).status_code == 302
    assert (
        list(Case.objects.get().items.order_by("position").values_list("title", flat=True))
        == titles
    )


def test_one_treatment_more_than_two_hundred_is_refused(client):
    titles = [f"Treatment {n}" for n in range(201)]
    answer = client.post(URL, make_form_data(item_title=titles, items_on_form=""))

    assert answer.status_code == 422
    assert "at most 200 treatments" in list_field_errors(answer)["__all__"]
    assert not Case.objects.exists()


def test_control_characters_and_word_processors_signs_are_made_plain(client):
    sent = make_form_data(
        diagnosis="☐ Neck\u0000 pain\u0007 \uf0b7 left\u00a0arm\u200b",
        employee_address="1 Main St\r\nSacramento",
        **one_item(title="\uf0b7 Norco\u0008 10/325\u2011mg"),
    )

    assert client.post(URL, sent).status_code == 302
    case = Case.objects.get()
    assert case.diagnosis == "☐ Neck pain • left arm"
    assert case.items.get().title == "• Norco 10/325-mg"
    assert case.parties.get(role="EMPLOYEE").address == "1 Main St\nSacramento"


def test_more_rows_come_without_javascript_and_nothing_typed_is_lost(client):
    answer = client.post(URL, make_form_data(ur_decided="") | {"more_rows": "1"})

    assert answer.status_code == 200
    assert len(answer.context["form"].rows) == 3 + 6
    page = answer.content.decode()
    assert "Cervical epidural steroid injection at C3-4" in page
    assert "Enter the date of the UR decision" not in page  # no one has pressed Accept yet
    assert not Case.objects.exists()


# --- Refused, beside the field, with everything kept ----------------------------------------------

TOMORROW = "3/3/2026"


@pytest.mark.parametrize(
    ("field", "keyed", "sentence"),
    [
        ("received", "", "Enter the date on the received stamp."),
        ("received", TOMORROW, "This date is in the future."),
        ("received", "2/30/26", "does not exist in the calendar"),
        ("received", "soon", "is not a date"),
        ("received_time", "25:00", "Enter the time as 14:05"),
        ("ur_decided", "", "Enter the date of the UR decision."),
        ("date_of_birth", TOMORROW, "This date is in the future."),
        ("date_of_injury", TOMORROW, "This date is in the future."),
        ("date_of_injury", "2/13/26", "The injury is dated after the UR decision."),
        ("date_of_injury", "3/13/68", "The injury is dated before the birth."),
        ("signed_on", TOMORROW, "This date is in the future."),
        ("consent_on", TOMORROW, "This date is in the future."),
        ("designated_on", TOMORROW, "This date is in the future."),
        ("served_on", TOMORROW, "This date is in the future."),
        ("served_on", "2/11/26", "before the UR decision of Thu, Feb 12, 2026."),
        ("signed_on", "2/11/26", "before the UR decision of Thu, Feb 12, 2026."),
        ("requested_on", TOMORROW, "This date is in the future."),
        ("last_name", "", "Enter the employee’s last name."),
        ("claim_number", "", "Enter the claim number"),
        ("employer", "", "Enter the employer."),
        ("physician_last", "", "requesting physician’s last name"),
        ("administrator", "", "claims administrator’s company"),
        ("items_on_form", "2", "Treatments on the form: 2. Entered: 1."),
        ("items_on_form", "many", "Enter a number."),
        ("items_on_form", "0", "greater than or equal to 1"),
        ("channel", "PIGEON", "Select a valid choice"),
        ("diagnosis", "⚕ neck pain", "staff of aesculapius, U+2695"),
        ("last_name", "王", "A printed letter cannot contain"),
        ("diagnosis", "x" * 501, "This is 501 characters long. Shorten it to 500."),
        ("claim_number", "1" * 61, "This is 61 characters long. Shorten it to 60."),
    ],
)
def test_an_impossible_value_of_the_form_is_named_beside_its_field(client, field, keyed, sentence):
    answer = post_refused_form(client, **{field: keyed})

    assert sentence in list_field_errors(answer)[field]
    assert list(list_field_errors(answer)) == [field]


@pytest.mark.parametrize(
    ("keyed", "stored"),
    [
        ("1,200", "1200"),
        ("½", "0.5"),
        ("1½", "1.5"),
        ("1 1/2", "1.5"),
        ("3/4", "0.75"),
        (".5", "0.5"),
    ],
)
def test_a_quantity_is_read_as_papers_print_it(client, keyed, stored):
    answer = client.post(URL, make_form_data(**one_item(quantity=keyed)))

    item = Case.objects.get().items.get()
    assert item.requested_quantity == Decimal(stored)
    address = answer.url + "correct/"
    assert client.get(address).context["keyed"].rows[0].quantity == stored
    proposed = ItemForm({"title": "Brace", "why": "Page 2", "requested_quantity": keyed},
                              today=MONDAY.date())  # fmt: skip
    assert proposed.is_valid(), proposed.errors
    assert proposed.cleaned_data["requested_quantity"] == Decimal(stored)


def test_a_decision_dated_after_its_receipt_is_refused(client):
    answer = post_refused_form(
        client, received="2/20/26", ur_decided="2/21/26", signed_on="2/19/26"
    )

    assert "dated after the day we received it" in list_field_errors(answer)["ur_decided"]


def test_a_time_that_has_not_come_yet_is_refused(client):
    answer = post_refused_form(client, received_time="12:01")  # it is noon

    assert "received date is in the future" in list_field_errors(answer)["__all__"]


def test_all_errors_are_shown_at_once(client):
    answer = post_refused_form(
        client, employer="", ur_decided="", last_name="⚕", **one_item(title="王")
    )

    assert {"employer", "ur_decided", "last_name", "__all__"} == set(list_field_errors(answer))
    assert len(row_errors(answer)) == 1


def test_names_that_together_are_too_long_for_a_letter_are_refused(client):
    answer = post_refused_form(
        client, first_name="a" * 120, middle_name="b" * 120, last_name="c" * 160
    )

    assert "full name has" in list_field_errors(answer)["last_name"]


@pytest.mark.parametrize("field", ["diagnosis", "claim_number", "last_name", "employee_address"])
def test_a_megabyte_in_one_field_is_refused_by_its_length(client, field):
    answer = client.post(URL, make_form_data() | {field: "word " * 200_000})

    assert answer.status_code == 422
    assert "1,000,000 characters long" in list_field_errors(answer)[field]
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"title": "", "quantity": "2"}, "Enter the treatment, or clear the whole row."),
        ({"title": "   ", "unit": "tablets"}, "Enter the treatment, or clear the whole row."),
        ({"title": "", "category": "first"}, "Enter the treatment, or clear the whole row."),
        ({"title": "⚕ Brace"}, "staff of aesculapius, U+2695"),
        ({"title": "x" * 2001}, "Shorten it to 2000."),
        ({"quantity": "some"}, "Enter the quantity as a number, such as 12."),
        ({"quantity": "0"}, "between 0 and 100,000"),
        ({"quantity": "-1"}, "between 0 and 100,000"),
        ({"quantity": "NaN"}, "Enter the quantity as a number, such as 12."),
        ({"quantity": "1e9"}, "Enter the quantity as a number, such as 12."),
        ({"quantity": "1,5"}, "Enter the quantity as a number, such as 12."),
        ({"quantity": "1/0"}, "Enter the quantity as a number, such as 12."),
        ({"quantity": "100,000"}, "between 0 and 100,000"),
        ({"quantity": "⅓"}, "two decimals"),
        ({"quantity": "1.005"}, "two decimals"),
        ({"quantity": "0.001"}, "two decimals"),
        ({"unit": "u" * 41}, "Shorten it to 40."),
        ({"body_part": "b" * 81}, "Shorten it to 80."),
    ],
)
def test_a_treatment_that_cannot_be_read_is_marked_in_its_row(client, row, sentence):
    if row.get("category") == "first":
        row = row | {"category": str(get_category("Drug").pk)}
    answer = post_refused_form(client, items_on_form="", **one_item(**row))

    assert [found for found in row_errors(answer) if sentence in found]
    assert "Correct the marked rows" in list_field_errors(answer)["__all__"]


@pytest.mark.parametrize(
    ("row", "part"),
    [({"quantity": "many"}, "quantity"), ({"title": "王"}, "title"), ({"unit": "u" * 41}, "unit")],
)
def test_the_summary_of_a_refused_form_links_to_the_wrong_field_of_a_treatment(client, row, part):
    answer = post_refused_form(client, items_on_form="", **one_item(**row))

    page = answer.content.decode()
    assert f'<a href="#item-0-{part}">Treatment 1: ' in page
    assert re.search(rf'id="item-0-{part}"[^>]*aria-invalid="true"', page)


@pytest.mark.parametrize("keyed", ["999999", "x"])
def test_a_category_that_is_not_on_the_list_is_marked_in_its_row(client, keyed):
    answer = client.post(URL, make_form_data(**one_item(category=keyed)))

    assert answer.status_code == 422
    assert row_errors(answer) == ["Choose a category from the list."]


def test_an_application_without_any_treatment_is_refused(client):
    answer = post_refused_form(
        client, items_on_form="", item_title=[""], item_quantity=[""], item_body_part=[""]
    )

    assert row_errors(answer) == ["Enter at least one disputed treatment."]
    assert 'href="#item-0-title">Treatment 1: Enter at least one' in answer.content.decode()


# --- Papers ---------------------------------------------------------------------------------------


def list_paper_tickets(answer):
    return re.findall(r'name="paper" value="([^"]+)"', answer.content.decode())


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("macro.docm", b"PK\x03\x04 word", "macro.docm"),
        ("scan.pdf", b"MZ this is a program", "scan.pdf"),
        ("empty.pdf", b"", "empty"),
        ("torn.pdf", b"%PDF-1.4 and then nothing", "damaged"),
    ],
)
def test_an_upload_that_we_cannot_read_is_refused_and_the_typing_kept(
    client, name, content, sentence
):
    sent = make_form_data() | {"scan": SimpleUploadedFile(name, content)}

    answer = client.post(URL, sent)

    assert answer.status_code == 422
    assert sentence in str(list_field_errors(answer))
    assert "06-2213-77" in answer.content.decode()
    assert not Case.objects.exists()
    assert not StoredFile.objects.exists()
    assert list_paper_tickets(answer) == []


def test_an_encrypted_upload_is_refused_with_what_to_do(client):
    answer = client.post(
        URL, make_form_data() | {"scan": make_pdf_upload("locked.pdf", password="secret")}
    )

    assert answer.status_code == 422
    assert "“locked.pdf” is protected by a password" in str(list_field_errors(answer))
    assert not StoredFile.objects.exists()


def test_an_accepted_upload_survives_a_refused_form(client):
    answer = client.post(URL, make_form_data(employer="") | {"scan": make_pdf_upload("page.pdf")})
    (ticket,) = list_paper_tickets(answer)
    assert answer.status_code == 422
    assert "page.pdf" in answer.content.decode()

    client.post(URL, make_form_data() | {"paper": ticket})

    (paper,) = Case.objects.get().application.papers.all()
    assert (paper.kind, paper.name_received) == ("APPLICATION", "page.pdf")


def test_one_bad_file_does_not_lose_the_good_one(client):
    sent = make_form_data() | {
        "scan": make_pdf_upload("good.pdf"),
        "ur_decision_file": make_pdf_upload(password="x"),
    }

    answer = client.post(URL, sent)

    assert answer.status_code == 422
    assert len(list_paper_tickets(answer)) == 1


def test_choosing_the_same_scan_again_keeps_it_once(client):
    content = pdf_bytes()
    again = make_form_data(employer="") | {"scan": SimpleUploadedFile("a.pdf", content)}
    (ticket,) = list_paper_tickets(client.post(URL, again))

    sent = make_form_data() | {"paper": ticket, "scan": SimpleUploadedFile("a.pdf", content)}

    assert client.post(URL, sent).status_code == 302
    assert ApplicationPaper.objects.count() == 1


def test_the_scan_is_shown_to_key_from(client):
    answer = client.post(
        URL, make_form_data() | {"scan": make_pdf_upload("Jane Worker.pdf"), "more_rows": "scan"}
    )
    (address,) = re.findall(r'src="(/intake/papers/[^"]+)"', answer.content.decode())

    picture = client.get(address)

    # An address is written into histories and logs, so it holds no file's name.
    assert b"Jane" not in base64.urlsafe_b64decode(address.split("/")[3].split(":")[0] + "==")
    assert (
        client.get(reverse("intake:intake_paper", args=list_paper_tickets(answer))).status_code
        == 404
    )
    assert picture.headers["Content-Type"] == "image/png"
    assert len(answer.context["form"].rows) == 3  # the button shows the scan, and adds no rows
    assert not Case.objects.exists()


def test_a_file_refused_by_show_the_scan_is_reported_and_nothing_else_changes(client):
    sent = make_form_data(employer="") | {
        "scan": make_pdf_upload("locked.pdf", password="x"),
        "more_rows": "scan",
    }

    answer = client.post(URL, sent)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "is protected by a password" in page
    assert "Enter the employer" not in page
    assert "06-2213-77" in page


@pytest.mark.parametrize("ticket", ["forged", "a:b:c", "x" * 500])
def test_a_ticket_that_is_not_ours_opens_nothing(client, ticket):
    assert client.get(reverse("intake:intake_paper", args=[ticket])).status_code == 404
    assert client.post(URL, make_form_data() | {"paper": ticket}).status_code == 302
    assert not ApplicationPaper.objects.exists()


def test_a_known_scan_links_to_its_case(client):
    content = pdf_bytes()
    client.post(URL, make_form_data() | {"scan": SimpleUploadedFile("a.pdf", content)})
    case = Case.objects.get()

    answer = client.post(URL, make_form_data() | {"scan": SimpleUploadedFile("b.pdf", content)})

    assert answer.url == case.get_absolute_url()
    assert Case.objects.count() == 1
    page = client.get(answer.url).content.decode()
    assert f"already entered as case {case.number}" in page


def test_my_intakes_shows_what_i_entered_today(client):
    client.post(URL, make_form_data())
    number = Case.objects.get().number

    assert number in client.get(reverse("intake:my_intakes")).content.decode()

    client.force_login(person(Role.INTAKE))
    assert number not in client.get(reverse("intake:my_intakes")).content.decode()


# --- One form with other contents -----------------------------------------------------------------


def test_a_corrected_repeat_of_a_saved_form_shows_both_versions(client):
    sent = make_form_data(last_name="Smiht", ur_decided="2/12/26")
    assert client.post(URL, sent).status_code == 302
    case = Case.objects.get()

    again = client.post(URL, sent | {"last_name": "Smith", "ur_decided": "2/10/26"})

    assert again.status_code == 409
    assert Case.objects.count() == 1
    page = html.unescape(again.content.decode())
    assert f"already saved as {case.number}, with other contents" in page
    assert [(one.stored, one.typed) for one in again.context["differences"]] == [
        ("Smiht", "Smith"),
        ("2/12/26", "2/10/26"),
    ]
    for text in ("Smiht", "2/12/26", "2/10/26", 'value="Smith"'):
        assert text in page


def test_another_scan_of_the_same_name_is_shown_and_the_pages_of_corrections_are_linked(client):
    sent = make_form_data()
    client.post(URL, sent | {"scan": make_upload("scan.pdf", pdf_bytes())})
    number = Case.objects.get().number

    page = client.post(URL, sent | {"scan": make_upload("scan.pdf", pdf_bytes(pages=2))})

    assert page.status_code == 409
    (row,) = page.context["differences"]
    assert (row.label, row.stored) == ("Files", "scan.pdf")
    assert row.typed == "scan.pdf (another file)"
    for name in ("intake:correct", "cases:parties"):
        assert f'href="{reverse(name, args=[number])}"' in page.content.decode()


def test_the_same_form_sent_again_opens_its_case(client):
    sent = make_form_data()
    assert client.post(URL, sent).url == client.post(URL, sent).url
    assert Case.objects.count() == 1


def test_a_different_application_under_a_used_key_can_be_saved_after_the_comparison(client):
    sent = make_form_data()
    client.post(URL, sent)
    other = sent | {"last_name": "Oduya", "claim_number": "07-1111-22"} | one_item(title="Walker")

    page = client.post(URL, other)
    assert page.status_code == 409
    assert page.context["differences"][-1].label == "Disputed treatments"
    key = re.search(r'name="key" value="([-0-9a-f]+)"', page.content.decode()).group(1)
    assert key != sent["key"]

    assert client.post(URL, other | {"key": key}).status_code == 302
    assert Case.objects.count() == 2


CATEGORY_LISTS = re.compile(r'<select id="item-(\w+)-category".*?</select>', re.DOTALL)


def count_options(page):
    """For each row of treatment, and for the row to copy, how many categories it offers."""
    return {
        found[1]: found[0].count("<option") - 1
        for found in CATEGORY_LISTS.finditer(page.content.decode())
    }


def test_the_list_of_categories_is_sent_once_and_a_chosen_category_with_its_row(client):
    get_category("imaging"), get_category("surgery")
    chosen = get_category("walker")
    counts = count_options(client.get(URL))
    assert counts.pop("0") >= 3
    assert set(counts.values()) == {0}
    assert set(counts) == {"__prefix__"}  # a script adds rows as they are filled

    rows = {"item_title": ["MRI", "Walker"], "item_category": ["", str(chosen.pk)]}
    refused = client.post(URL, make_form_data(received="") | rows)
    assert refused.status_code == 422
    assert count_options(refused)["1"] == 1
    second = next(CATEGORY_LISTS.finditer(refused.content.decode().partition("item-1-title")[2]))
    assert f'value="{chosen.pk}" selected' in second[0]


def test_a_browser_without_scripts_gets_the_list_in_every_row_that_it_asks_for(client):
    get_category("imaging"), get_category("surgery")
    counts = count_options(client.post(URL, make_form_data(more_rows="1")))
    del counts["__prefix__"]
    assert len(counts) == 3 + 6
    assert len(set(counts.values())) == 1
