"""Every page of a file is tried when it is received; pages that cannot be shown are remembered."""

import io
from datetime import UTC, datetime
from unittest import mock

import pikepdf
import pytest
from django.urls import reverse
from PIL import Image

from accounts.roles import Role
from files import parsing, services
from tests.factories import MONDAY, person
from tests.records.factories import case_with_records

from . import zoo

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def receive(content, name="report.pdf"):
    return services.receive_upload(upload=zoo.make_upload(content, name), at=NOON)


def with_huge_pages(*numbers, pages=4):
    """A PDF whose given pages are too large to draw."""

    def change(document):
        for number in numbers:
            document.pages[number - 1].MediaBox = [0, 0, 1, 14_000_000]

    return zoo.make_changed_pdf(change, pages=pages)


def with_heavy_page():
    """A PDF whose second page takes more time to draw than a process may use."""

    def change(document):
        content = b"0 0 m 600 700 l 10 300 l 500 20 l h f\n" * 4_000_000
        document.pages[1].Contents = document.make_stream(content)

    document = pikepdf.open(zoo.io.BytesIO(zoo.make_pdf(3)))
    change(document)
    return zoo.save_document(document, compress_streams=True)


def test_a_sound_file_has_no_unreadable_page_and_no_warning():
    file = receive(zoo.make_pdf(3))
    assert (file.unreadable_pages, file.is_repaired, file.warning) == ([], False, "")


def read_picture(content, name="report.pdf"):
    file = receive(content, name)
    picture = Image.open(io.BytesIO(services.render_page_png(file, page=1, width=900)))
    return picture.size, picture.convert("L").getextrema()


def test_a_page_whose_crop_box_lies_outside_shows_the_whole_sheet():
    def move_crop_box(document):
        document.pages[0].CropBox = [700, 900, 900, 1000]

    size, (darkest, _) = read_picture(zoo.make_changed_pdf(move_crop_box))
    assert size == (901, 1165)
    assert darkest < 60  # its text is drawn


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_a_wide_strip_keeps_enough_height_to_be_read(kind):
    def widen(document):
        document.pages[0].MediaBox = [0, 0, 14_400, 612]

    content = zoo.make_changed_pdf(widen) if kind == "pdf" else zoo.make_png(9000, 500)
    (across, down), _ = read_picture(content, f"strip.{kind}")
    assert down >= 450
    assert across > 8000


def test_pages_that_cannot_be_shown_are_named():
    file = receive(with_huge_pages(2, 4))
    assert file.unreadable_pages == [2, 4]
    assert file.warning == "Pages 2, 4 cannot be shown. Ask the sender for them again."
    assert services.render_page_png(file, page=3)


def test_a_page_that_kills_its_process_is_named_and_the_next_ones_are_tried(monkeypatch):
    calls = []
    real = parsing._ask_in

    def ask(folder, operation, question):
        calls.append(operation)
        if operation == "try_pages" and question["first"] == 2:
            # As if page 3 had used up the time of the process.
            parsing.Path(folder, "progress").write_text("2 begun\n2 shown\n3 begun\n")
            raise parsing.CannotRead("limits")
        if operation == "page" and question["page"] == 3:
            raise parsing.CannotRead("limits")
        return real(folder, operation, question)

    monkeypatch.setattr(parsing, "_ask_in", ask)
    assert receive(zoo.make_pdf(5)).unreadable_pages == [3]
    assert calls == ["inspect", "try_pages", "page", "try_pages"]


@pytest.mark.long
def test_a_page_that_takes_too_long_is_found_when_the_file_is_received():
    assert receive(with_heavy_page()).unreadable_pages == [2]


def test_trying_pages_ends_after_its_time(monkeypatch):
    monkeypatch.setattr(parsing, "SECONDS_FOR_PAGES", 0)
    assert receive(with_huge_pages(2)).unreadable_pages == []


def test_a_page_found_unreadable_later_is_remembered_and_costs_nothing_again(monkeypatch):
    monkeypatch.setattr(parsing, "SECONDS_FOR_PAGES", 0)
    file = receive(with_huge_pages(2))
    with pytest.raises(services.PageUnreadable, match="Page 2 cannot be shown"):
        services.render_page_png(file, page=2)
    file.refresh_from_db()
    assert file.unreadable_pages == [2]

    with mock.patch.object(parsing, "ask_parser") as asked:
        for attempt in (services.render_page_png, services.extract_page_text):
            with pytest.raises(services.PageUnreadable):
                attempt(file, page=2)
    asked.assert_not_called()


def test_a_page_of_a_busy_machine_is_not_remembered():
    file = receive(zoo.make_pdf(2))
    busy = parsing.CannotRead("limits", can_retry=True)
    with (
        mock.patch.object(parsing, "ask_parser", side_effect=busy),
        pytest.raises(services.FileRefused, match="busy"),
    ):
        services.render_page_png(file, page=2)
    file.refresh_from_db()
    assert file.unreadable_pages == []


def test_a_damaged_file_that_can_be_repaired_warns():
    content = zoo.make_pdf(3)
    place = content.index(b"xref")
    file = receive(content[:place] + content[place + 30 :])
    assert file.is_repaired
    assert "damaged and was repaired" in file.warning


def test_the_reader_sees_at_once_that_a_page_cannot_be_shown(client, set_clock):
    set_clock(MONDAY)
    case = case_with_records(pages=(2,), complete=False)
    document = case.documents.order_by("-pk").first()
    document.file.unreadable_pages = [2]
    document.file.save(update_fields=["unreadable_pages"])
    client.force_login(person(Role.COORDINATOR, Role.DIRECTOR))

    page = client.get(reverse("records:page", args=[document.pk, 2])).content.decode()

    assert "Page 2 cannot be shown" in page
    assert reverse("records:page_png", args=[document.pk, 2]) not in page
