"""A virus scanner that answers, that finds something, and that is unavailable."""

import socket
import threading
from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from files import services
from files.models import StoredFile

from . import zoo

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


@pytest.fixture
def scanner(settings, tmp_path_factory):
    """A socket that speaks clamd's INSTREAM; .answer is what it says, .seen what it was sent."""
    path = str(tmp_path_factory.mktemp("s") / "clamd")
    settings.CLAMD_SOCKET = path
    made = Scanner(path)
    yield made
    made.close()


class Scanner:
    def __init__(self, path):
        self.answer, self.seen = b"stream: OK\0", b""
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(path)
        self.listening.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _ = self.listening.accept()
            except OSError:
                return
            with line, line.makefile("rb") as heard:
                assert heard.read(10) == b"zINSTREAM\0"
                self.seen = b""
                while size := int.from_bytes(heard.read(4), "big"):
                    self.seen += heard.read(size)
                line.sendall(self.answer)

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()


def receive(content):
    return services.receive_upload(upload=zoo.make_upload(content), at=NOON)


def test_a_scanned_file_opens(scanner):
    content = zoo.make_pdf(200)
    file = receive(content)

    assert file.state == "CLEAN"
    assert scanner.seen == content
    assert services.render_page_png(file, page=1)


def test_a_virus_is_refused_and_not_stored(scanner):
    scanner.answer = b"stream: Eicar-Test-Signature FOUND\0"

    with pytest.raises(services.FileRefused, match="“report.pdf” contains a virus"):
        receive(zoo.make_pdf())
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b""])
def test_a_file_that_the_scanner_could_not_finish_waits(scanner, answer):
    scanner.answer = answer
    file = receive(zoo.make_pdf())

    assert file.state == "QUARANTINED"
    with pytest.raises(services.FileRefused, match="could not scan"):
        services.render_page_png(file, page=1)


def test_without_its_scanner_a_file_is_kept_and_never_opens(settings, tmp_path):
    settings.CLAMD_SOCKET = str(tmp_path / "nobody")
    file = receive(zoo.make_pdf())

    assert file.state == "QUARANTINED"
    for look in (
        lambda: services.render_page_png(file, page=1),
        lambda: services.extract_page_text(file, page=1),
        lambda: services.read_bytes(file),
    ):
        with pytest.raises(services.FileRefused, match="virus scanner is not available"):
            look()


def test_a_waiting_file_opens_once_it_was_scanned(settings, tmp_path, scanner):
    settings.CLAMD_SOCKET, answering = str(tmp_path / "nobody"), settings.CLAMD_SOCKET
    waiting, also_waiting = receive(zoo.make_pdf(1)), receive(zoo.make_pdf(2))
    settings.CLAMD_SOCKET = answering

    assert services.release_quarantined(file_id=waiting.pk, at=NOON).state == "CLEAN"
    assert receive(zoo.make_pdf(2)).state == "CLEAN"  # sent again, which scans it too
    assert services.render_page_png(StoredFile.objects.get(pk=also_waiting.pk), page=1)


def test_a_waiting_file_with_a_virus_never_opens(settings, tmp_path, scanner):
    settings.CLAMD_SOCKET, answering = str(tmp_path / "nobody"), settings.CLAMD_SOCKET
    waiting = receive(zoo.make_pdf())
    settings.CLAMD_SOCKET = answering
    scanner.answer = b"stream: Eicar-Test-Signature FOUND\0"

    file = services.release_quarantined(file_id=waiting.pk, at=NOON)

    assert file.state == "REFUSED"
    with pytest.raises(services.FileRefused, match="contains a virus"):
        services.read_bytes(file)
    with pytest.raises(services.FileRefused, match="contains a virus"):
        receive(zoo.make_pdf())


def test_the_command_looks_again_at_all_that_wait(settings, tmp_path, scanner, capsys):
    settings.CLAMD_SOCKET, answering = str(tmp_path / "nobody"), settings.CLAMD_SOCKET
    waiting = receive(zoo.make_pdf())
    call_command("scan_quarantined")
    settings.CLAMD_SOCKET = answering
    call_command("scan_quarantined")

    waiting.refresh_from_db()
    assert waiting.state == "CLEAN"
    assert capsys.readouterr().out.splitlines() == [
        "0 clean, 0 refused, 1 still quarantined.",
        "1 clean, 0 refused, 0 still quarantined.",
    ]
