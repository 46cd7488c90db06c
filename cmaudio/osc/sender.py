"""Sending over OSC: changes of controls, notes as they are heard, and the instrument's state."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import suppress

import numpy as np

from cmaudio.checks import in_range, whole_number
from cmaudio.controls.changes import Changes
from cmaudio.errors import CmaudioError
from cmaudio.instrument.instrument import Instrument
from cmaudio.osc.addresses import ROOT
from cmaudio.osc.packets import encode
from cmaudio.score.events import Event, NoteOff, NoteOn

Value = float | int | bool | str
_TICK_SECONDS = 0.02
_EVENTS = 4096
_FLOOR = 1e-6  # -120 dB
_LEVEL_SECONDS = 1.0
_NOT_SENT = "an OSC client missed messages, and the sound goes on"


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Family and address of a host name or number. Raises CmaudioError for an unknown host."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except (OSError, UnicodeError) as error:
        raise CmaudioError(f"unknown host {host!r} ({error}); use an address such as 127.0.0.1") from error
    return family, (str(address[0]), int(address[1]))


def source_name(host: str, port: int) -> str:
    """The source that listeners of the controls see for changes this peer makes."""
    return f"osc:{host}:{port}/"


def value_of(synth: Instrument, name: str) -> tuple[str, tuple[Value, ...]] | None:
    """Path and current values of a control; None for a timbre without a name."""
    controls = synth.controls
    if name == "timbre":
        mix = controls.timbre
        return None if mix is None else (f"{ROOT}/timbre", tuple(v for pair in mix.items() for v in pair))
    if name == "routes":
        return f"{ROOT}/routes", tuple(v for r in controls.routes for v in (r.modulator, r.control, r.amount))
    if name == "seed":
        return f"{ROOT}/seed", (-1 if controls.seed is None else controls.seed,)
    if name == "seed_locked":
        return f"{ROOT}/seed/lock", (controls.seed_locked,)
    return f"{ROOT}/control/{name}", (float(controls[name]),)


def all_values(synth: Instrument) -> list[tuple[str, tuple[Value, ...]]]:
    """All that a client needs to show the controls."""
    names = (*synth.controls.definitions, "timbre", "routes", "seed", "seed_locked")
    values = [pair for name in names if (pair := value_of(synth, name)) is not None]
    return values if synth.preset is None else [(f"{ROOT}/preset", (synth.preset.name,)), *values]


class OscSender:
    """Sends changes, notes and state to one client, on its own thread, until it is closed.

    Changes and notes are sent within 20 ms.

    Args:
        synth: the instrument.
        host: the client's host.
        port: the client's port.
        rate: state messages per second, 0.1 to 50.
        own: source of the client's own changes (`source_name`), which are not sent back to it; by default everything
            from the port on which it listens or, on another machine, from any port.
        through: a server's socket to send from, so that two linked instruments recognise each other.

    Raises:
        CmaudioError: an unknown host, values out of range.
    """

    def __init__(
        self,
        synth: Instrument,
        host: str,
        port: int,
        rate: float = 10.0,
        *,
        own: str | None = None,
        through: socket.socket | None = None,
    ) -> None:
        family, self.address = resolve(host, whole_number("port", port, 1, 65535))
        self._synth, self._every_s = synth, 1 / in_range("rate", rate, 0.1, 50, "messages per second")
        local = self.address[0].startswith("127.") or self.address[0] == "::1"
        self.own = own or (source_name(*self.address) if local else f"osc:{self.address[0]}:")
        self._through, self._socket = through, through or socket.socket(family, socket.SOCK_DGRAM)
        self._known: dict[str, bytes] = {}  # the last datagram sent, by path
        self._events: deque[tuple[int, Event]] = deque(maxlen=_EVENTS)
        self._metered, self._linked = synth.recorder.made_samples, False
        self._changes = Changes(synth.controls, lambda source: source.startswith(self.own), self._note_own_change)
        self._end_events = synth.recorder.subscribe(lambda at, event: self._events.append((at, event)))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-osc-out", daemon=True)
        self._thread.start()

    def close(self, wait: bool = True) -> None:
        """Stop sending."""
        self._ending.set()
        if wait:
            self._thread.join()

    def send(self, path: str, *values: Value) -> None:
        """Send one message; an unreachable client is not an error."""
        self._post(encode(path, *values))

    def _post(self, datagram: bytes) -> None:
        with suppress(OSError):  # nobody there, or a network that is down or full: the next message may arrive
            self._socket.sendto(datagram, self.address)

    def _run(self) -> None:
        due, attempt = time.monotonic(), self._synth.engine.faults.attempt
        attempt(_NOT_SENT, self._send_all)
        while not self._ending.wait(_TICK_SECONDS):
            attempt(_NOT_SENT, self._send_changes)
            attempt(_NOT_SENT, self._send_events)
            if time.monotonic() >= due:
                due = max(due + self._every_s, time.monotonic() - self._every_s)
                attempt(_NOT_SENT, self._send_state)
        self._changes.close()
        self._end_events()
        if self._through is None:
            self._socket.close()

    def _send_all(self) -> None:
        for path, values in all_values(self._synth):
            self._send_if_new(path, values)

    def _send_changes(self) -> None:
        for name in self._changes.take():
            pair = value_of(self._synth, name)
            if pair is not None:
                self._send_if_new(*pair)

    def _send_if_new(self, path: str, values: tuple[Value, ...]) -> None:
        datagram = encode(path, *values)
        if self._known.get(path) != datagram:
            self._known[path] = datagram
            self._post(datagram)

    def _note_own_change(self, name: str) -> None:
        """Record a change that the client made itself, so that it is not sent back."""
        pair = value_of(self._synth, name)
        if pair is not None:
            self._known[pair[0]] = encode(pair[0], *pair[1])

    def _played_samples(self) -> int:
        """How many samples have left the output buffer."""
        recorder, player = self._synth.recorder, self._synth.player.state()
        return recorder.made_samples - round(player.lead_ms / 1000 * recorder.sample_rate)

    def _send_events(self) -> None:
        played = self._played_samples()
        for _ in range(len(self._events)):
            at, event = self._events.popleft()
            if at > played:
                self._events.append((at, event))
            elif isinstance(event, NoteOn):
                self.send(f"{ROOT}/event/note_on", event.pitch, event.velocity, event.channel)
            elif isinstance(event, NoteOff):
                self.send(f"{ROOT}/event/note_off", event.pitch, event.channel)

    def _send_link(self) -> None:
        link = self._synth.link
        if link is not None:
            self.send(f"{ROOT}/state/tempo", link.tempo)
            self.send(f"{ROOT}/state/link_peers", link.peers)
        elif self._linked:
            self.send(f"{ROOT}/state/link_peers", -1)
        self._linked = link is not None

    def _send_state(self) -> None:
        recorder, engine, player = self._synth.recorder, self._synth.engine, self._synth.player.state()
        end = recorder.made_samples
        start = max(self._metered, end - round(_LEVEL_SECONDS * recorder.sample_rate))
        # The engine's peak meter resets when it is read, and others read it too.
        peak = max((float(np.abs(chunk).max()) for chunk in recorder.samples(start, end)), default=0.0)
        self._metered = end
        self.send(f"{ROOT}/state/level_db", 20 * float(np.log10(max(peak, _FLOOR))))
        self.send(f"{ROOT}/state/voices", engine.sounding)
        self.send(f"{ROOT}/state/load", player.load)
        self.send(f"{ROOT}/state/lead_ms", player.lead_ms)
        self.send(f"{ROOT}/state/underruns", player.counters.underruns)
        self.send(f"{ROOT}/state/stolen", engine.allocator.stealing.count)
        self._send_link()
        self.send(f"{ROOT}/state/seconds", engine.now / engine.sample_rate)
