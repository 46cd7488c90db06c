"""The panel's addresses, for this machine and for others, and their QR code."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from fixtures.browser import element, wait_for
from fixtures.panel import free_port

from cmaudio.panel import reach
from cmaudio.panel.reach import Address, own_address, qr_svg, qr_terminal, reachable_command


@pytest.mark.parametrize(
    ("host", "token", "here", "elsewhere"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:80/", None),
        ("localhost", "abc", "http://localhost:80/?token=abc", None),
        ("::1", None, "http://[::1]:80/", None),
        ("0.0.0.0", "abc", "http://127.0.0.1:80/?token=abc", "http://10.0.0.7:80/?token=abc"),
        ("::", "abc", "http://[::1]:80/?token=abc", "http://10.0.0.7:80/?token=abc"),
        ("192.168.1.5", "abc", "http://192.168.1.5:80/?token=abc", "http://192.168.1.5:80/?token=abc"),
        ("fd00::5", "abc", "http://[fd00::5]:80/?token=abc", "http://[fd00::5]:80/?token=abc"),
    ],
)
def test_addresses_for_this_machine_and_for_others(
    host: str, token: str | None, here: str, elsewhere: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "own_address", lambda: "10.0.0.7")
    address = Address(host, 80, token)
    assert (address.url, address.reach) == (here, elsewhere)


class FakeSocket(socket.socket):
    """A machine in one network, or in none."""

    families: tuple[int, ...] = ()

    def connect(self, address: Any) -> None:
        if self.family not in self.families:
            raise OSError("Network is unreachable")

    def getsockname(self) -> Any:
        return ("10.0.0.7", 1) if self.family == socket.AF_INET else ("fd00::7", 1, 0, 0)


@pytest.mark.parametrize(
    ("families", "address"),
    [((), None), ((socket.AF_INET,), "10.0.0.7"), ((socket.AF_INET6,), "fd00::7")],
    ids=["no network", "IPv4", "IPv6"],
)
def test_the_address_in_the_network(
    families: tuple[int, ...], address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSocket, "families", families)
    monkeypatch.setattr(socket, "socket", FakeSocket)
    assert own_address() == address
    if address is None:
        assert Address("0.0.0.0", 80, "abc").reach is None


def test_a_code_is_drawn_for_a_page_and_a_terminal() -> None:
    pytest.importorskip("segno", reason="the code needs segno: pip install 'cmaudio[panel]'")
    address = "http://10.0.0.7:8765/?token=" + "a" * 32
    assert str(qr_svg(address)).startswith("<svg")
    assert len(str(qr_terminal(address)).splitlines()) > 15


def test_without_the_package_there_is_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert (qr_svg("x"), qr_terminal("x")) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["panel"], "cmaudio panel --host 0.0.0.0"),
        (["panel", "--model", "textures", "--fresh"], "cmaudio panel --model textures --fresh --host 0.0.0.0"),
        (["panel", "--host", "localhost", "--port", "80"], "cmaudio panel --port 80 --host 0.0.0.0"),
        (["panel", "--host=::1", "--host-api", "alsa"], "cmaudio panel --host-api alsa --host 0.0.0.0"),
        (["panel", "--model", "my own.cmaudio"], "cmaudio panel --model 'my own.cmaudio' --host 0.0.0.0"),
    ],
)
def test_the_command_that_lets_others_reach_the_page_keeps_what_was_asked_for(
    arguments: list[str], command: str
) -> None:
    assert reachable_command(arguments) == command


def test_a_page_that_only_this_machine_can_open_shows_how_to_restart_it(page: Any) -> None:
    element(page, "button.reach").click()
    wait_for(lambda: page.find_elements("css selector", ".ask .address"))
    wait_for(lambda: element(page, ".ask .address").text == "cmaudio panel --host 0.0.0.0")


def test_a_page_that_others_can_reach_shows_how(synth: Any, clock: Any, browser: Any, tmp_path: Any) -> None:
    pytest.importorskip("segno", reason="the code needs segno: pip install 'cmaudio[panel]'")
    from cmaudio.panel.host import Host

    host = Host(synth, Address("0.0.0.0", free_port(), "s3cret"), tmp_path, clock, lambda text: None)
    try:
        if host.address.reach is None:
            pytest.skip("this machine is in no network")
        browser.get(host.address.url)
        wait_for(lambda: browser.find_elements("css selector", "button.reach"), 60)
        element(browser, "button.reach").click()
        wait_for(lambda: browser.find_elements("css selector", ".code svg"))
        wait_for(lambda: element(browser, ".address").text == host.address.reach)
    finally:
        host.close()
