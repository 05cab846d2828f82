"""The backup of files is verified by hash; a cut or damaged copy does not stay."""

import hashlib
import stat

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def folders(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"
    return tmp_path / "files", tmp_path / "backup"


def put(folder, content):
    name = hashlib.sha256(content).hexdigest()
    path = folder / name[:2] / name[2:4] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_cut_copy_is_replaced_and_uploads_are_left_out(folders):
    files, backup = folders
    first, second = put(files, b"first letter"), put(files, b"second letter")
    (files / "incoming").mkdir()
    (files / "incoming" / "incoming-1").write_bytes(b"half a record")
    cut = put(backup, b"first letter")
    cut.write_bytes(b"first")

    call_command("backup_files", str(backup))

    copies = {path.name: path.read_bytes() for path in backup.rglob("*") if path.is_file()}
    assert copies == {first.name: b"first letter", second.name: b"second letter"}
    assert stat.S_IMODE((backup / second.relative_to(files)).stat().st_mode) == 0o600


def test_a_damaged_file_fails_the_backup_and_leaves_the_intact_copy(folders):
    files, backup = folders
    damaged, other = put(files, b"first letter"), put(files, b"second letter")
    call_command("backup_files", str(backup))
    damaged.write_bytes(b"first lette")
    call_command("backup_files", str(backup))  # the copy of yesterday is intact
    (backup / damaged.relative_to(files)).write_bytes(b"")

    with pytest.raises(CommandError, match=damaged.name) as failed:
        call_command("backup_files", str(backup))

    assert other.name not in str(failed.value)


def test_a_restore_mends_lost_and_damaged_files_and_names_what_it_cannot(folders):
    files, backup = folders
    lost, cut = put(files, b"first letter"), put(files, b"second letter")
    call_command("backup_files", str(backup))
    lost.unlink()
    cut.write_bytes(b"second")

    call_command("restore_files", str(backup))

    assert (lost.read_bytes(), cut.read_bytes()) == (b"first letter", b"second letter")
    lost.unlink()
    (backup / lost.relative_to(files)).write_bytes(b"first")
    with pytest.raises(CommandError, match=lost.name):
        call_command("restore_files", str(backup))
    assert not lost.exists()


def test_a_restore_from_a_folder_that_is_not_there_fails(folders):
    with pytest.raises(CommandError, match="no folder"):
        call_command("restore_files", str(folders[1]))
