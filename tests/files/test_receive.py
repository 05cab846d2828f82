"""Files from outside: what is taken in, what is refused, and with which words."""

import hashlib
import io

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from files import services
from files.models import StoredFile
from tests.factories import MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        }
    }
    return tmp_path


def pdf(*, pages=1, password="", change=None):
    out = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page(page_size=(612, 792))
        if change:
            change(made)
        encryption = pikepdf.Encryption(owner=password, user=password) if password else False
        made.save(out, encryption=encryption)
    return out.getvalue()


def picture(kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (40, 60), "white").save(out, kind)
    return out.getvalue()


def receive(content, name="scan.pdf"):
    return services.receive(upload=SimpleUploadedFile(name, content), at=MONDAY)


def test_a_sound_pdf_is_stored_under_its_hash_with_its_pages(storage):
    content = pdf(pages=3)

    file = receive(content)

    assert (file.pages, file.state, file.media_type) == (3, "CLEAN", "application/pdf")
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (storage / file.path).read_bytes() == content
    assert services.read_bytes(file) == content


def test_the_same_bytes_are_stored_once_whatever_their_name():
    content = pdf()

    assert receive(content, "a.pdf") == receive(content, "b.pdf")
    assert StoredFile.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "empty.pdf", "is empty"),
        (pdf(password="secret"), "locked.pdf", "protected by a password"),
        (pdf()[:200], "cut.pdf", "is damaged"),
        (b"%PDF-1.7 nothing here", "junk.pdf", "is damaged"),
        (b"<html><body>hello", "page.html", "not a PDF, TIFF, JPEG or PNG"),
        (b"PK\x03\x04zip", "notes.docx", "not a PDF, TIFF, JPEG or PNG"),
        (picture(), "scan.pdf", "is a PNG file by its content"),
        (pdf(), "scan.png", "is a PDF file by its content"),
        (picture()[:60], "cut.png", "is damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(content, name, says):
    with pytest.raises(services.Refused, match=says) as refusal:
        receive(content, name)

    assert name in str(refusal.value)
    assert not StoredFile.objects.exists()


def _script(made):
    made.Root.OpenAction = pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")
    )


def _launch(made):
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("calc.exe"))
    made.pages[0].Annots = made.make_indirect(
        [pikepdf.Dictionary(Type=pikepdf.Name.Annot, A=made.make_indirect(action))]
    )


def _attachment(made):
    made.attachments["x.txt"] = b"carried"


@pytest.mark.parametrize("change", [_script, _launch, _attachment])
def test_a_pdf_that_acts_or_carries_something_is_refused(change):
    with pytest.raises(services.Refused, match="script, an action or an attached file"):
        receive(pdf(change=change))


def test_a_bomb_dies_in_the_child_and_not_here():
    def bomb(made):
        stream = made.make_stream(b"\0" * (300 << 20))
        made.pages[0].Contents = stream

    file = receive(pdf(change=bomb))

    # The page draws as blank or is refused; either way this process is untouched.
    try:
        assert services.page_png(file, 1).startswith(b"\x89PNG")
    except services.Refused as refusal:
        assert "too much memory" in str(refusal)


def test_a_file_over_the_limit_is_refused_with_the_limit(settings):
    settings.MAX_UPLOAD_BYTES = 1024 * 1024

    with pytest.raises(services.Refused, match="larger than 1 MB"):
        receive(b"%PDF-" + b"0" * (1024 * 1024))


def test_names_lose_paths_and_direction_marks():
    assert services.shown_name("../../etc/pass\u202ewd\x00.pdf") == "passwd.pdf"


def test_a_page_is_drawn_once_and_kept(storage):
    file = receive(pdf(pages=2))

    first = services.page_png(file, 2, 200)

    assert first.startswith(b"\x89PNG")
    assert services.page_png(file, 2, 200) == first
    assert len(list((storage / "pages").rglob("*.png"))) == 1


def test_a_page_that_is_not_there_is_refused():
    with pytest.raises(services.Refused, match="no page 9"):
        services.page_png(receive(pdf()), 9)


def test_a_picture_is_a_file_of_one_page():
    file = receive(picture("JPEG"), "photo.jpg")

    assert file.pages == 1
    assert services.page_png(file, 1, 300).startswith(b"\x89PNG")


def test_without_its_scanner_a_file_stays_in_quarantine(settings, tmp_path):
    settings.CLAMD_SOCKET = str(tmp_path / "nobody.sock")

    file = receive(pdf())

    assert file.state == "QUARANTINED"
    with pytest.raises(services.Refused, match="not been checked for viruses"):
        services.read_bytes(file)


def test_bytes_changed_on_disk_are_noticed(storage):
    file = receive(pdf())
    (storage / file.path).write_bytes(b"%PDF-tampered")

    assert list(services.differences()) == [f"changed: {file.sha256}"]
    with pytest.raises(services.Refused, match="bytes have changed"):
        services.read_bytes(file)


def test_missing_and_stray_files_are_listed(storage):
    file = receive(pdf())
    (storage / file.path).unlink()
    stray = storage / "aa" / "bb" / "stray"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")

    assert set(services.differences()) == {f"missing: {file.sha256}", "stray: aa/bb/stray"}
