"""The nightly walk over rows and bytes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from files import services

from . import zoo

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


def receive(pages):
    return services.receive_upload(upload=zoo.upload(zoo.pdf(pages)), at=NOON)


def test_rows_and_files_that_agree_give_three_noughts(capsys):
    file = receive(1)
    services.render_page_png(file, page=1)

    call_command("verify_files")

    assert capsys.readouterr().out.split("\n")[:3] == [
        "0 rows without a file",
        "0 files without a row",
        "0 hash differences",
    ]


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
    assert "1 rows without a file\n" in out
    assert "1 files without a row\n" in out
    assert "1 hash differences\n" in out
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
