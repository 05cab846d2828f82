"""What the intake page answers while someone types: dates, known names, the combined check."""

import json
import re
from datetime import date, timedelta

import pytest

from accounts.roles import Role
from cases.models import Case, Party
from form_fields.dates import interpret_date
from intake.services import known_parties
from intake.treatment_words import guess_category
from tests.factories import MONDAY, parties, person, received_case
from tests.intake.test_intake_page import make_form_data
from tests.reviewers.factories import fit_reviewer, get_category

TODAY = date(2024, 12, 3)


# --- Dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "keyed", "words", "bad"),
    [
        ("ur_decided", "9/20/24", "Fri, Sep 20, 2024, 74 days before receipt", False),
        ("ur_decided", "12/2/24", "Mon, Dec 2, 2024, 1 day before receipt", False),
        ("received", "t", "Tue, Dec 3, 2024, today", False),
        ("date_of_birth", "3/14/68", "Thu, Mar 14, 1968, age 56", False),
        ("date_of_birth", "3/14/22", "Mon, Mar 14, 2022, age 2. Check the year.", True),
        ("date_of_birth", "12/4/1910", "Sun, Dec 4, 1910, age 113. Check the year.", True),
        ("received", "9/20/24", "Fri, Sep 20, 2024, long ago. Check the stamp.", True),
        ("signed_on", "12/4/24", "Wed, Dec 4, 2024, in the future", True),
        ("valid_to", "12/4/29", "Tue, Dec 4, 2029", False),  # a license's last day may lie ahead
        ("date_of_injury", "1/1/1950", "Sun, Jan 1, 1950, long ago. Check the year.", True),
        ("", "12 / 2 / 2024", "Mon, Dec 2, 2024", False),
        ("", "12‑2‑2024", "Mon, Dec 2, 2024", False),  # with no-break hyphens
        ("", "December 2nd, 2024", "Mon, Dec 2, 2024", False),
        ("", "2nd Dec 2024", "Mon, Dec 2, 2024", False),
        ("", "", "", False),
    ],
)
def test_a_keyed_date_is_repeated_with_warnings(kind, keyed, words, bad):
    result = interpret_date(keyed, today=TODAY, kind=kind, received="t")
    assert (result.text, result.is_bad) == (words, bad)


@pytest.mark.parametrize(
    ("keyed", "sentence"),
    [
        ("2/30/24", "does not exist in the calendar"),
        ("2/29/23", "does not exist in the calendar"),
        ("13/2/2024", "has no month 13. If the day comes first on the paper, write 2/13/2024"),
        ("31/12/24", "write 12/31/2024"),
        ("40/40/2024", "does not exist in the calendar"),
        ("1/1/1850", "is in the year 1850"),
        ("1/1/2200", "is in the year 2200"),
        ("soon", "is not a date"),
        ("2202026", "is not a date"),
        ("19th", "is not a date"),
        ("20 Foo 2024", "does not name a month"),
    ],
)
def test_an_impossible_ambiguous_or_distant_date_shows_the_error(keyed, sentence):
    result = interpret_date(keyed, today=TODAY)
    assert result.is_bad
    assert sentence in result.text


def test_a_decision_dated_after_its_receipt_is_reported():
    result = interpret_date("12/3/24", today=TODAY, kind="ur_decided", received="12/1/24")
    assert result.text == "Tue, Dec 3, 2024, today, after receipt. Check both dates."


# --- Categories -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("Cervical ESI C3-4, C4-5 under fluoroscopy", ("Injection", "Injection")),
        ("NORCO 10/325 mg #90", ("Pharmaceuticals", "Opioids")),
        ("MRI of the lumbar spine", ("Diagnostic Testing", "Imaging/Radiology")),
        ("EMG/NCV bilateral upper extremities", ("Diagnostic Testing", "EMG/NCV/NCS")),
        ("Physical therapy 2x6", ("Rehabilitation", "PT/OT")),
        ("Right knee arthroscopy", ("Surgery", "Arthroscopic")),
        ("L5-S1 fusion", ("Surgery", "Spine")),
        ("Pre-op clearance", ("Surgery", "Adjunct services")),
        ("Medial branch block L4", ("Injection", "Facet")),
        ("Lidocaine patch 5%", ("Pharmaceuticals", "Topical analgesics")),
        ("Home health aide 4 hours a day", ("Home Health", "")),
        ("Something no one has heard of", None),
        ("", None),
    ],
)
def test_a_title_speaks_for_its_category(title, named):
    assert guess_category(title) == named


# --- By HTTP --------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, set_clock, db):
    set_clock(MONDAY)
    client.force_login(person(Role.INTAKE))
    return client


def post_live_request(client, path, name="", **sent):
    return client.post(path, sent, headers={"HX-Request": "true", "HX-Trigger-Name": name})


def test_a_field_that_is_left_is_answered_for_everyone_who_signed_in(client, db, set_clock):
    set_clock(MONDAY)
    client.force_login(person(Role.REVIEWER))

    page = post_live_request(
        client, "/dates/", "ur_decided", ur_decided="2/20/26", received="3/2/26"
    )
    assert page.content.decode() == (
        '<span class="echo" data-read="02/20/2026">Fri, Feb 20, 2026, 10 days before receipt</span>'
    )
    hostile = post_live_request(client, "/dates/", "x", x="<script>")
    assert "<script>" not in hostile.content.decode()
    assert "bad" in hostile.content.decode()


def test_the_page_shows_how_it_reads_dates_without_any_script(desk):
    page = desk.post(
        "/intake/new/", make_form_data(employer="", ur_decided="2/20/26")
    ).content.decode()
    assert "Fri, Feb 20, 2026, 10 days before receipt" in page


def list_offered_parties(client, name, typed_text):
    page = post_live_request(
        client, "/intake/look-up/", name, **{name: typed_text}
    ).content.decode()
    return [
        json.loads(fill.replace("&quot;", '"').replace("&#x27;", "'"))
        for fill in re.findall(r'data-fill="([^"]*)"', page)
    ]


def test_known_administrators_physicians_and_attorneys_fill_their_fields(desk):
    received_case(parties=parties(CLAIMS_ADMINISTRATOR="Pacific Comp Claims, Inc."))
    assert list_offered_parties(desk, "administrator", "pac") == [
        {
            "administrator": "Pacific Comp Claims, Inc.",
            "administrator_address": "PO Box 40122\nSacramento CA 95841",
            "administrator_phone": "",
            "administrator_fax": "",
            "administrator_channel": "MAIL",
            "administrator_email": "",
            "administrator_eservice_on": "",
            "administrator_eservice_basis": "",
        }
    ]
    (physician,) = list_offered_parties(desk, "physician_last", "oye")
    assert (physician["physician_first"], physician["physician_last"]) == ("Dana", "Oyelaran")
    assert len(list_offered_parties(desk, "attorney", "castel")) == 1
    assert len(list_offered_parties(desk, "employer", "cold")) == 1  # any word of the name


@pytest.mark.parametrize("typed_text", ["", "p", "%", "__", "zzz", "'; drop table"])
def test_a_short_or_unknown_name_offers_no_one(desk, typed_text):
    received_case()
    assert list_offered_parties(desk, "administrator", typed_text) == []
    assert list_offered_parties(desk, "last_name", "quin") == []  # employees are never offered


def test_a_look_up_gives_the_latest_address_and_each_party_once(desk):
    received_case()
    received_case()
    moved = [
        party if party.role != "EMPLOYER" else type(party)(party.role, party.name, address="New St")
        for party in parties()
    ]
    received_case(parties=moved)

    (harbor,) = list_offered_parties(desk, "employer", "harbor")
    assert harbor["employer_address"] == "New St"


def test_a_lookup_never_finds_staff_or_reviewers(desk):
    person(Role.INTAKE, name="Zebulon Clerk")
    fit_reviewer(first_name="Zenobia", last_name="Zephyr")

    for field in known_parties.FIELDS:
        assert list_offered_parties(desk, field, "ze") == []


def test_a_known_employee_is_filled_in_without_javascript(desk):
    received_case()
    sent = make_form_data(administrator="Pacific Comp Claims", physician_first="") | {
        "more_rows": "known"
    }

    form = desk.post("/intake/new/", sent).context["form"]

    assert form["administrator_address"].value() == "PO Box 40122\nSacramento CA 95841"
    assert form["physician_first"].value() == "Dana"
    assert form["employee_address"].value() == "PO Box 40122\nSacramento CA 95841"


def check_form(client, **changes):
    return client.post("/intake/check/", make_form_data(**changes)).content.decode()


def test_the_check_names_an_open_case_with_the_same_claim_and_compares(desk):
    case = received_case(claim_number="06-2213-77")

    page = check_form(desk)

    assert "Possible duplicate" in page
    assert case.number in page
    assert "The injured worker’s name is the same." in page
    assert "The claim number is the same." in page
    assert "The UR decision has the same date." in page
    assert "F2" in page
    other = {"claim_number": "06-9999-11", "first_name": "Pedro", "last_name": "Else"}
    assert "Possible duplicate" not in check_form(desk, **other | {"date_of_birth": "1/2/80"})
    assert Case.objects.count() == 1


def test_the_check_finds_the_claim_number_before_a_name_is_keyed(desk):
    case = received_case(claim_number="06-2213-77")

    page = desk.post("/intake/check/", {"claim_number": "06 2213 77"}).content.decode()

    assert case.number in page
    assert "The claim number is the same." in page


@pytest.mark.parametrize(
    ("served", "method", "sentence"),
    [
        ("2/12/26", "mail_ca", "<b>On time.</b>"),
        ("12/1/25", "mail_ca", "<b>Late.</b>"),
        ("", "mail_ca", "<b>Timeliness unknown.</b>"),
        ("2/12/26", "", "<b>Timeliness unknown.</b>"),
    ],
)
def test_the_check_answers_yes_no_or_unknown_from_the_deadline(desk, served, method, sentence):
    page = check_form(desk, served_on=served, service_method=method)
    assert sentence in page
    assert "UNKNOWN" not in page


def test_the_check_lists_what_is_missing_and_refuses_nothing(desk):
    missing = {"signed_by": "", "signed_on": "", "ur_attached": "", "consent_on": ""}
    page = check_form(desk, **missing, items_on_form="3")

    for words in (
        "Not signed",
        "UR decision not attached",
        "Consent to obtain records not dated",
        "form: 3",
    ):
        assert words in page
    sent = make_form_data(**missing)
    assert desk.post("/intake/new/", sent).status_code == 302
    assert Case.objects.get().application.signed_by == ""


def test_a_designation_before_the_decision_is_void(desk):
    page = check_form(desk, signed_by="ATTORNEY", designated_on="2/1/26", ur_decided="2/12/26")
    assert "Representative designated before the UR decision: not valid" in page


def test_a_category_is_guessed_offered_and_changed_by_the_clerk(desk):
    opioids = get_category("Pharmaceuticals", "Opioids")
    other = get_category("Drug")
    page = check_form(desk, item_title=["", "Norco 10/325"], items_on_form="")
    assert f'data-for="item-1-category" data-guess="{opioids.pk}"' in page

    one = {"item_quantity": ["", ""], "item_unit": ["", ""], "item_body_part": ["", ""]}
    two = make_form_data(
        item_title=["Norco 10/325", "Norco again"],
        item_category=["", str(other.pk)],
        items_on_form="2",
        **one,
    )
    desk.post("/intake/new/", two)

    kept = Case.objects.get().items.order_by("position").values_list("category", flat=True)
    assert list(kept) == [opioids.pk, other.pk]


def test_requests_while_typing_write_no_case(desk):
    received_case(by=person(Role.INTAKE), at=MONDAY - timedelta(days=1))
    before = Case.objects.count(), Party.objects.count()
    check_form(desk)
    list_offered_parties(desk, "administrator", "pacific")
    assert (Case.objects.count(), Party.objects.count()) == before


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"served_on": "2/11/26"}, "served_on", "before the UR decision of Thu, Feb 12, 2026."),
        ({"signed_on": "2/11/26"}, "signed_on", "before the UR decision of Thu, Feb 12, 2026."),
        ({"served_on": "3/9/26"}, "served_on", "This date is in the future."),
        (
            {"received": "2/20/26", "served_on": "2/23/26"},
            "served_on",
            "after we received the application on Fri, Feb 20, 2026.",
        ),
    ],
)
def test_the_check_names_an_impossible_date_while_it_is_keyed(desk, changes, field, sentence):
    page = check_form(desk, **changes)

    line = page[page.index(f'<a href="#id_{field}">') :]
    assert sentence in line[: line.index("</a>")]


def test_the_check_names_no_impossible_date_where_a_date_is_missing(desk):
    page = check_form(desk, served_on="", signed_on="")

    assert 'href="#id_' not in page
