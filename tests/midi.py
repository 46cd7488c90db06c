"""MIDI without a machine's ports: a system of fake ones, a synth that is read by hand, messages by name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from cmaudio.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.input import MidiInput
from cmaudio.midi.system import InputPort, OpenPort, Receive
from cmaudio.playback import Player
from cmaudio.recorder import Recorder
from cmaudio.synth import Synth

KEYS = "Keys 61"


class FakeSystem:
    """Ports that the test plugs in and out; `send` has a port deliver bytes."""

    def __init__(self, *names: str) -> None:
        self.there = [InputPort(name, "0") for name in names]
        self.receivers: dict[str, Receive] = {}
        self.refuses: set[str] = set()

    def inputs(self) -> list[InputPort]:
        return list(self.there)

    def open(self, port: InputPort, receive: Receive) -> OpenPort:
        if port.name in self.refuses:
            raise CmaudioError(f"{port.name} is held by another program")
        return self.open_virtual(port.name, receive)

    def open_virtual(self, name: str, receive: Receive) -> OpenPort:
        self.receivers[name] = receive
        return _FakePort(self, name)

    def send(self, data: bytes | list[int], port: str = KEYS) -> None:
        self.receivers[port](bytes(data))

    def close(self) -> None: ...


class _FakePort:
    def __init__(self, system: FakeSystem, name: str) -> None:
        self._system, self._name = system, name

    def close(self) -> None:
        del self._system.receivers[self._name]


class StillPlayer:
    """Places every event a sample after the one before, and plays nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.placed = engine, list[float]()

    def place(self, seconds: float) -> int:
        self.placed.append(seconds)
        return self._engine.now

    def wake(self) -> None: ...

    def raise_if_failed(self) -> None: ...

    def close(self) -> None: ...


class Rig:
    """A synth with MIDI from a fake port."""

    def __init__(self, synth: Synth, system: FakeSystem, midi: MidiInput) -> None:
        self.synth, self.system, self.midi = synth, system, midi
        self.clock: list[tuple[str, float, int]] = []
        self._reached = threading.Event()
        gone = midi._channels.gone
        midi._channels.gone = lambda at, port: gone(at, port) if port else self._reached.set()  # type: ignore[method-assign]

    def on_clock(self, kind: str, seconds: float, value: int) -> None:
        self.clock.append((kind, seconds, value))

    def send(self, *messages: bytes | list[int], port: str = KEYS) -> None:
        """Deliver, wait until all was handled, and let the engine take it."""
        for message in messages:
            self.system.send(message, port)
        self.settle()

    def settle(self) -> None:
        self._all_handled()
        wait_until(lambda: not self.midi._thinner._pending)
        self._all_handled()
        self.synth.engine.read(self.synth.engine.latency_samples + 64)

    def _all_handled(self) -> None:
        self._reached.clear()
        self.midi._inbox.put(0.0, "", None)  # a port without a name is gone: all before it was handled
        assert self._reached.wait(20)

    @property
    def channels(self) -> Any:
        return self.synth.engine.stage.channels

    def sounding(self) -> list[tuple[int, int]]:
        """Channel and pitch of the notes that are held, by a key or a pedal."""
        notes = self.synth.engine.stage.notes.values()
        return sorted((n.channel, round(n.pitch)) for n in notes if n.voice is not None and not n.voice.released)


def still_synth(engine: Engine) -> Synth:
    """A synth on an engine that only the test reads."""
    return Synth(engine, Recorder(engine, 1.0), cast("Player", StillPlayer(engine)))


@contextmanager
def rig(
    synth: Synth, *, names: tuple[str, ...] = (KEYS,), told: list[str] | None = None, **options: Any
) -> Iterator[Rig]:
    """A `Rig`, closed afterwards and silent."""
    system = FakeSystem(*names)
    options.setdefault("bindings", Bindings())
    with MidiInput(synth, system=system, on_notice=(told if told is not None else []).append, **options) as midi:
        made = Rig(synth, system, midi)
        midi.on_clock = made.on_clock
        yield made
    synth.panic()
    synth.engine.read(4096)


def wait_until(done: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for what another thread does."""
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.001)


def on(key: int, velocity: int = 90, channel: int = 0) -> list[int]:
    return [0x90 | channel, key, velocity]


def off(key: int, channel: int = 0) -> list[int]:
    return [0x80 | channel, key, 0]


def control(number: int, value: int, channel: int = 0) -> list[int]:
    return [0xB0 | channel, number, value]


def wheel(position: float, channel: int = 0) -> list[int]:
    """From -1 to 1."""
    value = 8192 + round(position * (8191 if position > 0 else 8192))
    return [0xE0 | channel, value & 0x7F, value >> 7]


def parameter(number: int, value: int, channel: int = 0, fine: int | None = None) -> list[int]:
    """A registered parameter, as one run of bytes."""
    message = [*control(101, 0, channel), *control(100, number, channel), *control(6, value, channel)]
    return message if fine is None else [*message, *control(38, fine, channel)]
