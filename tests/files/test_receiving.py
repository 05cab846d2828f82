"""What is taken in, what is refused, and with which words."""

import hashlib
import io
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from files import sandboxed_parser, services
from files.models import StoredFile
from tests.pristine import ROOT

from . import zoo

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def receive(content, name="report.pdf"):
    return services.receive_upload(upload=zoo.make_upload(content, name), at=NOON)


@pytest.mark.parametrize(
    ("name", "content", "media_type", "pages"),
    [
        ("report.pdf", zoo.make_pdf(3), "application/pdf", 3),
        ("REPORT.PDF", zoo.make_pdf(), "application/pdf", 1),
        ("scan.png", zoo.make_png(), "image/png", 1),
        ("photo.jpeg", zoo.make_jpeg(), "image/jpeg", 1),
        ("fax.tif", zoo.make_tiff(2), "image/tiff", 2),
        ("hospital.pdf", zoo.with_owner_password_only(), "application/pdf", 1),
    ],
)
def test_a_sound_file_is_stored_under_its_hash_alone(name, content, media_type, pages):
    file = receive(content, name)

    sha = hashlib.sha256(content).hexdigest()
    assert (file.sha256, file.size, file.state) == (sha, len(content), "CLEAN")
    assert (file.media_type, file.pages, file.stored_at) == (media_type, pages, NOON)
    assert file.path == f"{sha[:2]}/{sha[2:4]}/{sha}"
    assert services.read_bytes(file) == content


@pytest.mark.parametrize("damage", ["lost", "cut", "changed"])
@pytest.mark.parametrize("way", ["upload", "own bytes"])
def test_a_damaged_file_is_mended_by_sending_it_again(damage, way):
    """Otherwise the page says that the file was added, and it cannot be opened."""
    content = zoo.make_pdf(2)
    file = receive(content)
    StoredFile.objects.filter(pk=file.pk).update(unreadable_pages=[2])
    stored = Path(default_storage.path(file.path))
    match damage:
        case "lost":
            stored.unlink()
        case "cut":
            stored.write_bytes(content[:-10])
        case "changed":
            stored.write_bytes(b"x" * len(content))

    if way == "upload":
        again = receive(content)
        assert again.unreadable_pages == []
    else:
        again = services.store_bytes(content=content, media_type="application/pdf", at=NOON)

    assert again.pk == file.pk
    assert services.read_bytes(again) == content


def test_every_kind_of_file_shows_its_pages_as_pictures():
    for name, content in (
        ("a.pdf", zoo.make_pdf(2)),
        ("a.tiff", zoo.make_tiff(2)),
        ("a.png", zoo.make_png(1600, 800)),
        ("a.jpg", zoo.make_jpeg(1600, 800)),
    ):
        file = receive(content, name)
        picture = Image.open(io.BytesIO(services.render_page_png(file, page=file.pages, width=400)))
        assert picture.format == "PNG"
        assert picture.width == 400


@pytest.mark.parametrize(
    "make",
    [zoo.with_script, zoo.with_launch, lambda: zoo.make_pdf() + b"\n<script>alert(1)</script>\n"],
    ids=["script", "launch action", "markup after the end"],
)
def test_a_pdf_that_could_act_is_kept_as_it_came_and_shown_as_a_picture(make):
    content = make()

    file = receive(content)

    assert services.read_bytes(file) == content
    shown = services.render_page_png(file, page=1)
    assert Image.open(io.BytesIO(shown)).format == "PNG"
    for word in (b"app.alert", b"calc.exe", b"<script>"):
        assert word not in shown


def test_a_page_is_drawn_once_and_kept(monkeypatch):
    file = receive(zoo.make_pdf())
    first = services.render_page_png(file, page=1)
    monkeypatch.setattr(services.parsing, "ask_parser", None)

    assert services.render_page_png(file, page=1) == first


def test_the_text_of_a_page_is_read():
    file = receive(zoo.make_pdf(2, words="Lumbar spine"))

    assert services.extract_page_text(file, page=2).strip() == "Lumbar spine 2"
    assert services.extract_page_text(receive(zoo.make_png(), "a.png"), page=1) == ""


@pytest.mark.parametrize("page", [0, -1, 3])
def test_a_page_that_is_not_there_is_refused(page):
    file = receive(zoo.make_pdf(2))
    with pytest.raises(services.FileRefused, match="no page"):
        services.render_page_png(file, page=page)


REFUSED = {
    "nothing": (lambda: b"", "report.pdf", "is empty"),
    "a password": (zoo.make_encrypted_pdf, "report.pdf", "protected by a password. Ask the sender"),
    "cut off": (lambda: zoo.make_pdf(30)[:-900], "report.pdf", "damaged or incomplete"),
    "only the beginning": (lambda: b"%PDF-1.7\n", "report.pdf", "damaged or incomplete"),
    "nonsense": (lambda: b"%PDF-1.7\n" + b"x" * 3000, "report.pdf", "damaged or incomplete"),
    "attachment": (zoo.with_attachment, "report.pdf", "other files attached to it"),
    "form for Adobe": (zoo.form_for_adobe_reader, "report.pdf", "only Adobe Reader"),
    "a PNG that says PDF": (zoo.make_png, "report.pdf", "The content of “report.pdf” is PNG"),
    "a PDF that says PNG": (zoo.make_pdf, "report.png", "The content of “report.png” is PDF"),
    "a page of HTML before a PDF": (
        lambda: b"<html><script>alert(1)</script></html>\n" + zoo.make_pdf(),
        "report.pdf",
        "is not a PDF",
    ),
    "a program": (lambda: b"MZ\x90\x00" + b"\0" * 100, "report.pdf", "is not a PDF"),
    "a web page": (lambda: b"<html></html>", "report.html", "is not a PDF"),
    "a huge picture": (zoo.huge_png, "scan.png", "too large to show"),
    "half a picture": (lambda: zoo.make_png(900, 900)[:-100], "scan.png", "damaged or incomplete"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unreadable_file_is_refused_by_name_and_leaves_nothing(case):
    make, name, words = REFUSED[case]
    with pytest.raises(services.FileRefused) as refusal:
        receive(make(), name)

    assert words in str(refusal.value)
    assert f"“{name}”" in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert not StoredFile.objects.exists()
    assert _incoming() == []


def test_a_bomb_is_refused_and_costs_this_process_nothing():
    content = zoo.make_decompression_bomb()
    assert len(content) < 5_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(
        services.FileRefused, match=r"too much time or memory|cannot be shown|damaged"
    ):
        receive(content)

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024  # kilobytes


# Linux counts what a process held before it became another program, so the size of the test's own
# process would count as the child's. A small one asks instead.
ASK_AND_SAY_KILOBYTES = """
import resource, sys
from files import parsing
try:
    parsing.ask_parser("inspect", path=sys.argv[1], media_type="application/pdf", max_pages=10)
except parsing.CannotRead:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_the_child_that_reads_a_bomb_stays_within_its_memory(tmp_path):
    (tmp_path / "bomb.pdf").write_bytes(zoo.make_decompression_bomb())

    result = subprocess.run(
        [sys.executable, "-c", ASK_AND_SAY_KILOBYTES, tmp_path / "bomb.pdf"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert 0 < int(result.stdout) < sandboxed_parser.MEMORY_BYTES / 1024


def test_too_many_pages_are_refused():
    document = pikepdf.new()
    for _ in range(10_000):
        document.add_blank_page()
    with pytest.raises(services.FileRefused, match="more than 5,000 pages"):
        receive(zoo.save_document(document))


def test_a_file_over_the_limit_is_refused_whatever_size_it_claims(settings):
    settings.MAX_UPLOAD_BYTES = 1000
    for claimed in (None, 5):
        upload = zoo.make_upload(zoo.make_pdf(3))
        upload.size = claimed
        with pytest.raises(services.FileRefused, match="is larger than"):
            services.receive_upload(upload=upload, at=NOON)
    assert _incoming() == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\scan.pdf", "scan.pdf"),
        ("evil\x00.pdf", "evil.pdf"),
        ("report\u202efdp.exe.pdf", "reportfdp.exe.pdf"),
        ("line\nbreak.pdf", "linebreak.pdf"),
        ("", "The file"),
        ("a" * 300 + ".pdf", "a" * 70 + "….pdf"),
    ],
)
def test_a_hostile_name_is_never_used_and_shown_only_plain(sent, shown):
    with pytest.raises(services.FileRefused) as refusal:
        receive(b"nothing that we read", sent)

    assert str(refusal.value).startswith(f"“{shown}” is not a PDF")


def test_a_name_with_a_path_is_stored_under_the_hash():
    file = receive(zoo.make_pdf(), "../../../x.pdf")
    assert default_storage.exists(file.path)
    assert ".." not in file.path


def test_the_same_bytes_are_stored_once():
    first, second = receive(zoo.make_pdf(2)), receive(zoo.make_pdf(2), "other.pdf")

    assert first.pk == second.pk
    assert StoredFile.objects.count() == 1


def test_our_own_bytes_are_stored_unchanged_and_once():
    content = zoo.make_pdf()
    first = services.store_bytes(content=content, media_type="application/pdf", at=NOON, pages=1)
    again = services.store_bytes(content=content, media_type="application/pdf", at=NOON)

    assert (first.pk, first.pages) == (again.pk, 1)
    assert services.read_bytes(first) == content


def test_bytes_that_changed_on_disk_are_not_handed_out():
    file = receive(zoo.make_pdf())
    with open(default_storage.path(file.path), "ab") as stored:
        stored.write(b"x")

    with pytest.raises(services.FileRefused, match="has changed"):
        services.read_bytes(file)


def _incoming():
    try:
        return default_storage.listdir("incoming")[1]
    except FileNotFoundError:
        return []
