"""What a client may ask for, and the keys by which it is known."""

from __future__ import annotations

import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from cmaudio.errors import CmaudioError
from cmaudio.serve.failure import Failure
from cmaudio.serve.keys import add_key, read_keys
from cmaudio.serve.limits import Limits
from cmaudio.serve.server import Address, check_access


def test_requests_of_a_client_are_limited_and_others_are_not() -> None:
    limits = Limits(requests_per_minute=2)
    for moment in (0.0, 0.0):
        limits.request("ada", moment)
    with pytest.raises(Failure, match="2 requests a minute") as refusal:
        limits.request("ada", 1.0)
    assert (refusal.value.status, refusal.value.retry_seconds) == (429, 29)
    limits.request("ben", 1.0)
    limits.request("ada", 30.0)


def test_streams_of_a_client_are_limited_until_one_ends() -> None:
    limits = Limits(streams=1)
    with limits.stream("ada", 0.0):
        assert limits.streams == 1
        with pytest.raises(Failure, match="1 streams at once"), limits.stream("ada", 0.0):
            pass
        with limits.stream("ben", 0.0):
            assert limits.streams == 2
    with ExitStack() as stack:
        stack.enter_context(limits.stream("ada", 0.0))
    assert limits.streams == 0


def test_clients_of_long_ago_are_forgotten() -> None:
    limits = Limits()
    for number in range(10_001):
        limits.request(str(number), 100.0 if number == 10_000 else 0.0)
    assert len(limits._clients) == 1


def test_a_key_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys = {name: add_key(path, name) for name in ("ada", "ben")}
    known = read_keys(path)
    assert {name: known.client(key) for name, key in keys.items()} == {"ada": "ada", "ben": "ben"}
    assert known.client(keys["ada"] + "x") is None
    assert not any(key in path.read_text() for key in keys.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no keys"),
        ("# ada\n", "holds no keys"),
        ("ada cma_secret\n", "line 1"),
        (f"a b {'0' * 64}", "line 1"),
    ],
)
def test_a_damaged_file_of_keys_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    with pytest.raises(CmaudioError, match=says) as refusal:
        read_keys(path)
    assert "cma_secret" not in str(refusal.value)


def test_names_of_clients_are_checked(tmp_path: Path) -> None:
    add_key(tmp_path / "keys", "ada")
    with pytest.raises(CmaudioError, match="already"):
        add_key(tmp_path / "keys", "ada")
    with pytest.raises(CmaudioError, match="cannot name a client"):
        add_key(tmp_path / "keys", "ada b")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_other_machines_need_keys(host: str) -> None:
    with pytest.raises(CmaudioError, match="--keys FILE"):
        check_access(Address(host), None)
    check_access(Address("127.0.0.1"), None)
