"""The server as a process: its web sockets, the files it serves, storms of garbage, and its death."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets")

from fixtures.browser import wait_for
from fixtures.panel import AUDIBLE, answer, connect, keys_down, peak, running_host, silence, status
from websockets.exceptions import ConnectionClosed

from cmaudio.cli.panel import demand_nicegui
from cmaudio.errors import CmaudioError
from cmaudio.panel.clock_output import PACKET_SECONDS, ClockOutput
from cmaudio.panel.commands import MAX_COMMAND_BYTES
from cmaudio.synth import Synth

MIB = 2**20


def close_code(socket: Any) -> int:
    """Why the server closes a web socket (RFC 6455)."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    return int(closed.value.rcvd.code)


def test_without_nicegui_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nicegui", None)
    with pytest.raises(CmaudioError, match=r"pip install 'cmaudio\[panel\]'"):
        demand_nicegui()


def test_a_port_that_is_taken_is_named_with_the_remedy(synth: Synth, host: Any, tmp_path: Path) -> None:
    from cmaudio.panel.host import Host
    from cmaudio.panel.reach import Address

    with pytest.raises(CmaudioError, match=r"--port"):
        Host(synth, Address("127.0.0.1", host.address.port, None), tmp_path, ClockOutput(), lambda text: None)


def test_only_sounds_of_the_folder_are_served(host: Any) -> None:
    folder = host.handler.takes.folder
    (folder / "notes.txt").write_text("private")
    (folder.parent / "outside.wav").write_bytes(b"private")
    (folder / "link.wav").symlink_to(folder.parent / "outside.wav")
    (folder / "take.wav").write_bytes(b"sound")
    assert status(host, "/files/take.wav") == 200
    for name in ("notes.txt", "../outside.wav", "..%2Foutside.wav", "%2Fetc%2Fpasswd", "none.wav", "link.wav"):
        assert status(host, f"/files/{name}") == 404
    for name in ("x" * 300 + ".wav", "%00.wav", "%FF.wav"):
        assert status(host, f"/files/{name}") == 404


def test_addresses_that_are_asked_for_are_not_printed(
    capfd: pytest.CaptureFixture[str], synth: Synth, tmp_path: Path
) -> None:
    with contextmanager(running_host)(synth, ClockOutput(), tmp_path, None) as host:
        assert status(host, "/%1b]0;title%07") == 404
    assert "title" not in "".join(capfd.readouterr())


# -- commands ----------------------------------------------------------------------------------------------------------


def test_a_client_that_vanishes_while_it_holds_a_key_leaves_silence(host: Any, synth: Synth) -> None:
    silence(synth)
    with connect(host, "/live?client=me") as socket:
        socket.send(json.dumps({"kind": "set", "name": "bend", "value": 2, "held": True}))
        socket.send(json.dumps({"kind": "press", "pitch": 64, "velocity": 100}))
        wait_for(lambda: peak(synth) > AUDIBLE and synth.controls["bend"] == 2)
        socket.socket.close()  # without a goodbye
    wait_for(lambda: synth.engine.idle and peak(synth) < AUDIBLE)
    assert synth.controls["bend"] == 0


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"kind": "set"}',
        '{"kind": "ready"}',
        '{"kind": "disconnected", "client": "other"}',
        '\n{"kind": "failed", "text": "no"}',
        "[" * 60_000,
        '{"kind":"seed","seed":1e400}',
        f'{{"kind":"seed","seed":{"9" * 5_000}}}',
        '{"kind":"timbre","name":"\\ud800"}',
        "x" * (MAX_COMMAND_BYTES + 1),
        "\U0001f3b9" * MAX_COMMAND_BYTES,
        b"\x00\xff binary",
    ],
    ids=lambda garbage: f"{garbage[:20]!r} {len(garbage)}",
)
def test_garbage_is_refused_and_the_next_command_works(host: Any, synth: Synth, garbage: str | bytes) -> None:
    before = host.server_pid
    synth.controls.set_seed(None)
    with connect(host, "/live?client=me") as socket:
        socket.send(garbage)
        assert answer(socket)["kind"] == "refused"
        socket.send(json.dumps({"kind": "seed", "seed": 2**62}))
        wait_for(lambda: synth.controls.seed == 2**62)
    assert host.server_pid == before
    synth.controls.set_seed(None)


@pytest.mark.parametrize("client", ["", "x" * 65, "a%0Ab", "%20"])
def test_a_malformed_client_name_is_refused(host: Any, client: str) -> None:
    with connect(host, f"/live?client={client}") as socket:
        assert close_code(socket) == 1008


def test_a_client_receives_only_its_own_refusals(host: Any) -> None:
    with connect(host, "/live?client=one") as one, connect(host, "/live?client=other") as other:
        one.send('{"kind": "timbre", "name": "kazoo"}')
        assert "kazoo" in answer(one)["text"]
        other.send('{"kind": "timbre", "name": "spoons"}')
        assert "spoons" in answer(other)["text"]


def test_a_flood_of_commands_does_not_keep_others_from_playing(host: Any, synth: Synth) -> None:
    before = host.server_pid
    with ExitStack() as stack:
        floods = [stack.enter_context(connect(host, f"/live?client=flood-{number}")) for number in range(3)]
        for flood in floods:
            stack.callback(flood.socket.close)  # a goodbye would wait behind the commands
            for number in range(1_000):
                flood.send(json.dumps({"kind": "set", "name": "no such control", "value": number}))
        with connect(host, "/live?client=me") as me:
            me.send(json.dumps({"kind": "seed", "seed": 2**61}))
            wait_for(lambda: synth.controls.seed == 2**61)
    synth.controls.set_seed(None)
    assert host.server_pid == before


def memory_mib(process: int) -> float:
    """Resident memory."""
    psutil = pytest.importorskip("psutil")
    return float(psutil.Process(process).memory_info().rss) / MIB


def test_a_storm_of_sockets_neither_ends_the_server_nor_fills_its_memory(host: Any, synth: Synth) -> None:
    process, before = host.server_pid, memory_mib(host.server_pid)
    for _ in range(20):
        with ExitStack() as stack:
            sockets = [stack.enter_context(connect(host, f"/live?client=storm-{number}")) for number in range(20)]
            for socket in sockets:
                with suppress(ConnectionClosed):  # a message that is far too long ends the connection
                    socket.send("x" * (4 * MIB))
                    socket.send("[" * MAX_COMMAND_BYTES)
    assert memory_mib(process) < before + 60
    with connect(host, "/live?client=me") as socket:
        socket.send(json.dumps({"kind": "seed", "seed": 3}))
        wait_for(lambda: synth.controls.seed == 3)
    synth.controls.set_seed(None)
    assert host.server_pid == process


def test_more_sockets_than_allowed_are_told_to_try_later(host: Any) -> None:
    with ExitStack() as stack:
        for number in range(64):
            socket = stack.enter_context(connect(host, f"/live?client=many-{number}"))
            assert json.loads(socket.recv())["kind"] == "hello"
        with connect(host, "/live?client=one-more") as socket:
            assert close_code(socket) == 1013


def test_pages_that_are_requested_and_never_opened_are_served(host: Any) -> None:
    for _ in range(5):
        with urllib.request.urlopen(host.address.url) as page:
            assert b"cm-client" in page.read()


# -- sound and life ----------------------------------------------------------------------------------------------------


def test_the_sound_streams_as_it_was_made(host: Any, synth: Synth) -> None:
    silence(synth)
    with connect(host, "/listen") as socket:
        rate = synth.recorder.sample_rate
        assert json.loads(socket.recv()) == {"sample_rate": rate, "channels": 2}
        synth.press(62)
        packets: list[bytes] = []
        while not packets or np.abs(np.frombuffer(b"".join(packets[-5:]), "<i2")).max() < 100:
            packets.append(socket.recv(timeout=20))
            assert len(packets) < 20 / PACKET_SECONDS
        packets += [socket.recv(timeout=20) for _ in range(10)]
    assert {len(packet) for packet in packets} == {2 * 2 * round(PACKET_SECONDS * rate)}
    heard = np.frombuffer(b"".join(packets[-8:]), "<i2").reshape(-1, 2) / 32_767
    end = synth.recorder.made_samples
    made = np.concatenate([*synth.recorder.samples(end - 2 * rate, end)])
    match = np.correlate(made[:, 0], heard[:, 0].astype(np.float32), "valid")
    at = int(match.argmax())
    np.testing.assert_allclose(heard, made[at : at + len(heard)], atol=1e-3)
    silence(synth)


def test_a_server_that_dies_is_restarted_and_the_sound_goes_on(host: Any, synth: Synth) -> None:
    host.handler.take("me", b'{"kind":"press","pitch":60,"velocity":90}')
    wait_for(lambda: peak(synth) > AUDIBLE)
    heard, old = synth.recorder.made_samples, host.server_pid
    os.kill(old, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    wait_for(lambda: not keys_down(synth))
    wait_for(lambda: host.server_pid != old and status(host, "/panel/main.js") == 200)
    silence(synth)
    assert synth.recorder.made_samples > heard
    assert synth.state().player.status == "playing"
