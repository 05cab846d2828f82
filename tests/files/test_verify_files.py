"""The nightly walk over rows and bytes."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from files import services

from . import zoo

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def receive(pages):
    return services.receive_upload(upload=zoo.make_upload(zoo.make_pdf(pages)), at=NOON)


def test_rows_and_files_that_agree_give_three_noughts(capsys):
    file = receive(1)
    services.render_page_png(file, page=1)

    call_command("verify_files")

    assert capsys.readouterr().out.split("\n")[:3] == [
        "0 rows without a file",
        "0 files without a row",
        "0 hash differences",
    ]


def test_leftovers_of_killed_uploads_are_named_and_deleted(capsys):
    incoming = Path(default_storage.path("incoming"))
    incoming.mkdir(parents=True, exist_ok=True)
    old, young = incoming / "incoming-old", incoming / "tmpyoung.upload.pdf"
    for path, age in ((old, 3700), (young, 60)):
        path.write_bytes(b"a medical record")
        stamp = timezone.now().timestamp() - age
        os.utime(path, (stamp, stamp))

    with pytest.raises(CommandError):
        call_command("verify_files")
    out = capsys.readouterr().out
    assert "1 leftover of a killed upload in incoming\n    incoming-old\n" in out

    assert services.delete_leftovers(at=timezone.now()) == 1
    assert not old.exists()
    assert young.exists()
    call_command("verify_files")


def test_large_uploads_are_received_on_the_disk_of_the_files(settings):
    assert Path(settings.FILE_UPLOAD_TEMP_DIR).parent == Path(settings.FILES_DIR)


def test_every_difference_is_found_and_named(capsys):
    lost, changed = receive(1), receive(2)
    Path(default_storage.path(lost.path)).unlink()
    Path(default_storage.path(changed.path)).write_bytes(b"something else")
    stray = "ab/cd/" + "ab" * 32
    Path(default_storage.path(stray)).parent.mkdir(parents=True)
    Path(default_storage.path(stray)).write_bytes(b"no one's")

    with pytest.raises(CommandError) as failed:
        call_command("verify_files")

    out = capsys.readouterr().out
    assert failed.value.returncode == 1
    assert "1 row without a file\n" in out
    assert "1 file without a row\n" in out
    assert "1 hash difference\n" in out
    for name in (lost.sha256, changed.sha256, stray):
        assert name in out


def test_bytes_are_on_disk_before_the_row(monkeypatch):
    seen = []
    rows = services.StoredFile.objects

    def get_or_create(*, sha256, defaults):
        seen.append(default_storage.exists(f"{sha256[:2]}/{sha256[2:4]}/{sha256}"))
        raise RuntimeError("the row cannot be written")

    monkeypatch.setattr(rows, "get_or_create", get_or_create, raising=False)
    with pytest.raises(RuntimeError):
        receive(1)

    assert seen == [True]


def test_bytes_and_their_folders_are_synced_before_the_row(monkeypatch):
    """Without it, a power failure may leave a row whose file is empty."""
    synced, rows = [], []
    real, create = os.fsync, services.StoredFile.objects.get_or_create

    def fsync(handle):
        real(handle)
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))

    def get_or_create(**values):
        rows.append(list(synced))
        return create(**values)

    monkeypatch.setattr(services.os, "fsync", fsync)
    monkeypatch.setattr(services.StoredFile.objects, "get_or_create", get_or_create)
    file = receive(3)

    (before,) = rows
    target = Path(default_storage.path(file.path))
    assert Path(before[0]).parent.name == services.INCOMING
    assert str(target.parent) in before
