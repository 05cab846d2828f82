"""Guidelines in the admin site: who may, with versions, with previews, without deleting."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import Role
from guidelines import services
from guidelines.models import (
    ApprovedParagraph,
    DrugListEdition,
    Edition,
    Guideline,
    ListedDrug,
    Recommendation,
    Source,
)
from tests.factories import MONDAY, person

from .conftest import make_edition

pytestmark = pytest.mark.django_db
TABLES = [
    Source, Guideline, Edition, Recommendation, ApprovedParagraph, DrugListEdition, ListedDrug,
]  # fmt: skip


def url(model, page, *args):
    return reverse(f"admin:guidelines_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def signed_in(client, keeper):
    client.force_login(keeper)
    return keeper


def edition_form(edition, **changes):
    """What the browser sends for an edition's page."""
    fields = {
        "guideline": edition.guideline_id,
        "label": edition.label,
        "valid_from": f"{edition.valid_from:%Y-%m-%d}",
        "ends_before": f"{edition.ends_before:%Y-%m-%d}" if edition.ends_before else "",
        "governing_date": edition.governing_date,
        "regulation": edition.regulation,
        "note": edition.note,
        "seen_version": edition.version,
        "recommendations-TOTAL_FORMS": 0,
        "recommendations-INITIAL_FORMS": 0,
    }
    return fields | changes


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("model", TABLES)
def test_guidelines_open_for_their_keeper_alone(client, role, model):
    client.force_login(person(role))

    expected = 200 if role == Role.GUIDELINE_ADMIN else 403
    assert client.get(url(model, "changelist")).status_code == expected
    assert client.get(url(model, "add")).status_code == expected


def test_the_stranger_is_sent_to_the_one_sign_in_page(client):
    answer = client.get(url(Edition, "changelist"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert client.get(reverse("admin:login")).status_code == 302


def test_a_password_is_changed_on_the_one_page_for_it(client, signed_in):
    answer = client.get(reverse("admin:password_change"))

    assert answer["Location"] == reverse("account_change_password")


def test_every_page_of_every_table_opens(client, signed_in):
    services.seed_guidelines(by=None, at=MONDAY)
    services.seed_drug_list(by=None, at=MONDAY)
    ApprovedParagraph(title="Tapering", text="Words.").store(by=None, at=MONDAY)
    for model in TABLES:
        row = model.objects.first()
        for page in ("changelist", "add"):
            assert client.get(url(model, page)).status_code == 200, (model, page)
        for page in ("change", "history"):
            assert client.get(url(model, page, row.pk)).status_code == 200, (model, page)
        version = row.history.latest()
        old = reverse(
            f"admin:guidelines_{model._meta.model_name}_simple_history",
            args=[row.pk, version.history_id],
        )
        assert client.get(old).status_code == 200
        assert client.post(old, {}).status_code == 403


def test_saving_makes_a_version_with_the_person_and_what_changed(client, signed_in, edition):
    answer = client.post(url(Edition, "change", edition.pk), edition_form(edition, note="Checked."))

    assert answer.status_code == 302, answer.context["errors"]
    edition.refresh_from_db()
    latest = edition.history.latest()
    assert (edition.note, edition.version) == ("Checked.", 2)
    assert (latest.history_user, latest.history_change_reason) == (signed_in, "Changed: note")
    page = client.get(url(Edition, "history", edition.pk)).content.decode()
    assert "<ins>Checked.</ins>" in page
    assert "Gwen Keeper" in page
    assert "The system" in page


def test_saving_without_a_change_makes_no_version(client, signed_in, edition):
    client.post(url(Edition, "change", edition.pk), edition_form(edition))

    assert edition.history.count() == 1


def test_rows_added_and_changed_with_another_have_versions_too(client, signed_in, edition):
    row = Recommendation(edition=edition, section="Special Studies").store(by=None, at=MONDAY)
    form_data = edition_form(
        edition,
        **{
            "recommendations-TOTAL_FORMS": 2,
            "recommendations-INITIAL_FORMS": 1,
            "recommendations-0-id": row.pk,
            "recommendations-0-edition": edition.pk,
            "recommendations-0-section": "Special Studies",
            "recommendations-0-pages": "177-178",
            "recommendations-0-is_active": "on",
            "recommendations-1-edition": edition.pk,
            "recommendations-1-section": "Summary",
            "recommendations-1-is_active": "on",
        },
    )
    answer = client.post(url(Edition, "change", edition.pk), form_data)

    assert answer.status_code == 302, answer.context["errors"]
    row.refresh_from_db()
    assert (row.pages, row.version) == ("177-178", 2)
    assert row.history.latest().history_change_reason == "Changed: pages"
    new = Recommendation.objects.get(section="Summary")
    assert (new.version, new.history.get().history_user) == (1, signed_in)
    assert edition.history.count() == 1  # the edition itself did not change


def test_an_overlap_is_a_sentence_beside_the_form(client, signed_in, guideline, edition):
    form_data = edition_form(
        Edition(guideline=guideline, label="2016", valid_from=date(2016, 7, 29))
    )
    answer = client.post(url(Edition, "add"), form_data)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "the 2004 edition of Neck Complaints is in force from Jun 15, 2007" in page
    assert Edition.objects.count() == 1


def test_a_stale_form_is_refused_and_keeps_its_text(client, signed_in, edition):
    form_data = edition_form(edition, note="Mine.")
    edition.note = "Theirs."
    edition.store(by=None, at=MONDAY)

    answer = client.post(url(Edition, "change", edition.pk), form_data)

    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Someone else changed this after you opened it" in page
    assert "Mine." in page
    assert f'name="seen_version" value="{edition.version}"' in page
    edition.refresh_from_db()
    assert edition.note == "Theirs."


@pytest.mark.parametrize("seen", ["", "x", "0"])
def test_a_form_without_a_version_is_as_stale_as_one_with_an_old_one(
    client, signed_in, edition, seen
):
    form_data = edition_form(edition, note="Mine.", seen_version=seen)

    assert client.post(url(Edition, "change", edition.pk), form_data).status_code == 409

    edition.refresh_from_db()
    assert edition.note != "Mine."


def test_nothing_can_be_deleted(client, signed_in, edition):
    assert client.get(url(Edition, "delete", edition.pk)).status_code == 403
    assert client.post(url(Edition, "delete", edition.pk), {"post": "yes"}).status_code == 403
    client.post(
        url(Edition, "changelist"),
        {"action": "delete_selected", "_selected_action": edition.pk, "post": "yes"},
    )
    form_data = edition_form(edition, **{"recommendations-0-DELETE": "on"})
    client.post(url(Edition, "change", edition.pk), form_data)
    assert Edition.objects.filter(pk=edition.pk).exists()


def test_confirming_several_names_the_person(client, signed_in, guideline, edition):
    later = make_edition(guideline, "2017", date(2017, 12, 1))
    page = client.get(url(Edition, "changelist")).content.decode()
    assert page.count("Not confirmed") >= 2

    answer = client.post(
        url(Edition, "changelist"),
        {"action": "confirm", "_selected_action": [edition.pk, later.pk]},
        follow=True,
    )

    assert "2 editions confirmed in your name." in answer.content.decode()
    assert Edition.objects.filter(confirmed_by=signed_in).count() == 2


def test_editions_are_found_by_the_day_on_which_they_count(client, signed_in):
    services.seed_guidelines(by=None, at=MONDAY)

    def rows(**query):
        return set(
            client.get(url(Edition, "changelist"), {"all": "", **query})
            .context["cl"]
            .queryset.values_list("guideline__code", "label")
        )

    before = rows(in_force="2016-07-28", q="Chronic Pain")
    after = rows(in_force="2016-07-29", q="Chronic Pain")
    assert before == {("chronic-pain-medical-treatment", "2009")}
    assert after == {("chronic-pain-medical-treatment", "2016")}
    assert rows(in_force="nonsense") == set()
    assert rows(confirmed="yes") == set()
    assert rows(in_force="today")


CSV = (
    "guideline,label,valid_from,ends_before,governing_date,regulation,note\n"
    "neck,2004,2007-06-15,2017-12-01,REQUEST,,Corrected\n"
    "neck,2017,2017-12-01,,SERVICE,8 CCR 9792.23.1,\n"
)


def import_rows(client, model, content, name="rows.csv"):
    return client.post(
        url(model, "import"),
        {"import_file": SimpleUploadedFile(name, content.encode()), "format": "0"},
    )


def confirm_import(client, model, answer):
    return client.post(
        url(model, "process_import"), answer.context["confirm_form"].initial, follow=True
    )


def test_an_import_is_shown_first_and_changes_nothing(client, signed_in, edition):
    answer = import_rows(client, Edition, CSV)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "<ins>Corrected</ins>" in page
    assert "style=" not in page
    assert Edition.objects.count() == 1
    assert Edition.history.count() == 1


def test_a_confirmed_import_is_stored_with_versions(client, signed_in, edition):
    answer = confirm_import(client, Edition, import_rows(client, Edition, CSV))

    assert answer.status_code == 200
    edition.refresh_from_db()
    assert (edition.note, edition.version) == ("Corrected", 2)
    latest = Edition.objects.get(label="2017").history.get()
    assert (latest.history_user, latest.version) == (signed_in, 1)
    assert latest.history_change_reason == "Imported from a file"


def test_importing_existing_rows_makes_no_version(client, signed_in, edition):
    confirm_import(client, Edition, import_rows(client, Edition, CSV))
    versions = Edition.history.count()
    confirm_import(client, Edition, import_rows(client, Edition, CSV))

    assert Edition.history.count() == versions


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (CSV.replace("Corrected", "§ 9792").encode("cp1252"), "encoding of this file is not UTF-8"),
        (CSV.encode("utf-16"), "encoding of this file is not UTF-8"),
        (CSV.encode("utf-16-le"), "encoding of this file is not UTF-8"),
        (CSV.replace(",", ";").encode(), "separated by semicolons, not by commas"),
        (CSV.replace(",", "\t").encode(), "separated by tabs, not by commas"),
        (b"PK\x03\x04 rest", "This is an Excel workbook"),
    ],
)
def test_a_file_that_excel_saved_otherwise_is_refused_with_how_to_save_it(
    client, signed_in, edition, content, sentence
):
    sent = {"import_file": SimpleUploadedFile("rows.csv", content), "format": "0"}
    page = client.post(url(Edition, "import"), sent).content.decode()

    assert sentence in page
    assert "CSV UTF-8 (Comma delimited)" in page
    assert "Traceback" not in page
    assert "UnicodeDecodeError" not in page


def test_a_file_that_is_not_json_is_refused_in_words(client, signed_in, edition):
    sent = {"import_file": SimpleUploadedFile("rows.json", CSV.encode()), "format": "1"}
    page = client.post(url(Edition, "import"), sent).content.decode()

    assert "This file cannot be read. Check that its format" in page


def test_a_file_with_a_byte_order_mark_is_read(client, signed_in, edition):
    answer = import_rows(client, Edition, "\ufeff" + CSV)

    assert "<ins>Corrected</ins>" in answer.content.decode()


def test_an_import_that_overlaps_is_refused_with_the_sentence(client, signed_in, edition):
    bad = CSV.replace("2017,2017-12-01,", "2017,2017-11-30,")
    answer = import_rows(client, Edition, bad)

    assert "End one before the other begins." in answer.content.decode()
    assert "confirm_form" not in answer.context
    assert Edition.objects.count() == 1


def test_an_import_with_an_unknown_guideline_is_refused(client, signed_in, edition):
    answer = import_rows(client, Edition, CSV.replace("neck,2017", "no one,2017"))

    assert "confirm_form" not in answer.context
    assert Edition.objects.count() == 1


@pytest.mark.parametrize("model", [Guideline, Edition, Recommendation])
def test_exported_rows_are_imported_unchanged(client, signed_in, model):
    services.seed_guidelines(by=None, at=MONDAY)
    versions = model.history.count()
    answer = client.get(url(model, "export"))
    if answer.status_code != 200 or "csv" not in answer["Content-Type"]:
        answer = client.post(url(model, "export"), {"format": "0"})
    assert "csv" in answer["Content-Type"]

    confirm_import(client, model, import_rows(client, model, answer.content.decode()))

    assert model.history.count() == versions


def test_import_and_export_are_for_keepers(client):
    client.force_login(person(Role.AUDITOR))
    for page in ("import", "export"):
        assert client.get(url(Edition, page)).status_code == 403


@pytest.mark.parametrize("wrong", ["x", "9" * 30, "-1"])
def test_an_impossible_id_is_a_bad_request_or_an_error_of_the_form(
    client, signed_in, edition, wrong
):
    action = {"action": "confirm", "_selected_action": wrong, "index": "0"}
    answers = [
        client.post(url(Edition, "changelist"), action),
        client.post(url(Recommendation, "add"), {"edition": wrong, "section": "1"}),
        client.get(url(Recommendation, "add"), {"edition": wrong}),
        client.get(url(Edition, "change", wrong)),
        client.get(url(Edition, "history", wrong)),
        client.post(url(Edition, "change", wrong), edition_form(edition)),
        client.get(url(Edition, "changelist"), {"guideline__id__exact": wrong}),
    ]
    assert all(answer.status_code in {200, 302, 400, 404} for answer in answers)
