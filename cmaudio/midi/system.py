"""MIDI systems: the protocol, and this machine's system through pylibremidi.

pylibremidi queues arrivals on the driver's thread, without the interpreter, until it is polled. One thread polls it
1000 times per second and owns all of its objects (CoreMIDI binds its list of ports to a thread).
"""

from __future__ import annotations

import importlib
import queue
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults, as_warning
from cmaudio.system import raise_thread_priority

Receive = Callable[[bytes], None]
T = TypeVar("T")
_ASK_EVERY_SECONDS, _IDLE_SECONDS = 0.001, 0.02
_own_outputs: set[str] = set()  # virtual ports of this process, which its inputs must not listen to
_NO_PACKAGE = "MIDI needs the package pylibremidi, which cannot be loaded ({}); `pip install pylibremidi`"
_NO_SYSTEM = (
    "this machine has no MIDI system. On Linux that is the ALSA sequencer, /dev/snd/seq: `sudo modprobe snd-seq`, "
    "and be in the group `audio`"
)


@dataclass(frozen=True)
class InputPort:
    """A MIDI input port.

    Attributes:
        name: unique among those listed together.
        key: changes when the port is plugged in again.
        handle: the system's own handle.
    """

    name: str
    key: str = ""
    handle: Any = None


@dataclass(frozen=True)
class OutputPort:
    """A MIDI output port; see `InputPort`."""

    name: str
    key: str = ""
    handle: Any = None


class OpenPort(Protocol):
    """An open port."""

    def close(self) -> None: ...


class SendingPort(OpenPort, Protocol):
    """An open output port."""

    def send(self, data: bytes) -> None:
        """Send one message, without waiting; by one thread at a time. Raises CmaudioError if the port is gone."""
        ...


class MidiOutputSystem(Protocol):
    """A system with ports to send to."""

    def outputs(self) -> list[OutputPort]:
        """The ports that currently exist, in the system's order."""
        ...

    def open_output(self, port: OutputPort) -> SendingPort:
        """Open a port. Raises CmaudioError."""
        ...

    def open_virtual_output(self, name: str) -> SendingPort:
        """Create a port that other programs can listen to. Raises CmaudioError if the system cannot."""
        ...

    def close(self) -> None: ...


class MidiSystem(Protocol):
    """A source of MIDI ports. `receive` is called with raw bytes on any thread, and must return quickly."""

    def inputs(self) -> list[InputPort]:
        """The ports that currently exist, in the system's order."""
        ...

    def open(self, port: InputPort, receive: Receive) -> OpenPort:
        """Listen to a port. Raises CmaudioError."""
        ...

    def open_virtual(self, name: str, receive: Receive) -> OpenPort:
        """Create a port that other programs can send to. Raises CmaudioError if the system cannot."""
        ...

    def close(self) -> None: ...


class LibremidiSystem:
    """CoreMIDI, WinMM or the ALSA sequencer. `api` selects another libremidi API ("JACK_MIDI").

    Raises CmaudioError, with the remedy, if there is none.
    """

    def __init__(self, api: str | None = None) -> None:
        try:
            self._library = importlib.import_module("pylibremidi")
        except ImportError as error:
            raise CmaudioError(_NO_PACKAGE.format(error)) from error
        self._api = getattr(self._library.API, api) if api else self._library.midi1_default_api()
        if self._api not in self._library.available_apis():
            raise CmaudioError(_NO_SYSTEM)
        self._open: dict[int, Any] = {}
        self._faults = Faults(as_warning)
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-midi-system", daemon=True)
        self._thread.start()

    def inputs(self) -> list[InputPort]:
        """The ports that currently exist."""
        return self._on_thread(
            lambda: [InputPort(*row) for row in self._listed("get_input_ports") if row[0] not in _own_outputs]
        )

    def open(self, port: InputPort, receive: Receive) -> _LibremidiPort:
        """Listen to a port."""
        return self._on_thread(lambda: self._opened(f"MIDI port {port.name!r}", receive, "open_port", port.handle))

    def open_virtual(self, name: str, receive: Receive) -> _LibremidiPort:
        """Create a port that other programs can send to."""
        return self._on_thread(lambda: self._opened(f"virtual MIDI port {name!r}", receive, "open_virtual_port", name))

    def outputs(self) -> list[OutputPort]:
        """The output ports that currently exist."""
        return self._on_thread(lambda: [OutputPort(*row) for row in self._listed("get_output_ports")])

    def open_output(self, port: OutputPort) -> _LibremidiOutput:
        """Open a port to send to."""
        return self._on_thread(lambda: self._sending(f"MIDI port {port.name!r}", "open_port", port.handle))

    def open_virtual_output(self, name: str) -> _LibremidiOutput:
        """Create a port that other programs can listen to; inputs of this process do not."""
        _own_outputs.add(name)
        return self._on_thread(lambda: self._sending(f"virtual MIDI port {name!r}", "open_virtual_port", name))

    def release(self, number: int) -> None:
        """Stop listening to a port."""

        def release() -> None:
            if (port := self._open.pop(number, None)) is not None:
                port.close_port()

        self._on_thread(release)

    def close(self) -> None:
        """Close all ports."""
        self._ending.set()
        self._thread.join()

    def _on_thread(self, what: Callable[[], T]) -> T:
        if self._ending.is_set():
            raise CmaudioError("the MIDI system was closed")
        done: Future[T] = Future()

        def task() -> None:
            try:
                done.set_result(what())
            except BaseException as error:
                done.set_exception(error)

        self._tasks.put(task)
        while not done.done() and self._thread.is_alive():
            try:
                return done.result(timeout=0.2)
            except TimeoutError:
                continue
        if done.done():
            return done.result()
        raise CmaudioError("the MIDI system has stopped working; connect MIDI again, or start the program again")

    def _run(self) -> None:
        raise_thread_priority()
        configuration = self._library.ObserverConfiguration()
        configuration.track_virtual = configuration.track_any = True
        # CoreMIDI keeps its list of ports up to date only for observers with a callback.
        configuration.input_added = _ignore
        self._observer = self._library.Observer(configuration, self._api)
        while not self._ending.wait(_ASK_EVERY_SECONDS if self._open else _IDLE_SECONDS):
            while not self._tasks.empty():
                self._tasks.get()()
            for port in self._open.values():
                self._faults.attempt("MIDI messages were lost", port.poll)
        for port in self._open.values():
            port.close_port()
        self._open.clear()
        del self._observer

    def _listed(self, which: str) -> list[tuple[str, str, Any]]:
        self._observer.poll()
        found = getattr(self._observer, which)()
        names = [port.display_name or port.port_name or "MIDI" for port in found]
        # WinMM identifies ports only by index, which changes when another port vanishes.
        keys = ["" if self._api == self._library.API.WINDOWS_MM else str(port.port) for port in found]
        return list(zip(unique_names(names), keys, found, strict=True))

    def _sending(self, what: str, how: str, *arguments: Any) -> _LibremidiOutput:
        port = self._library.MidiOut(self._library.OutputConfiguration(), self._api)
        self._check(getattr(port, how)(*arguments), what)
        return _LibremidiOutput(port, what, lambda: self._on_thread(port.close_port))

    @staticmethod
    def _check(error: object, what: str) -> None:
        if error:
            raise CmaudioError(
                f"{what} cannot be opened ({error}); another program may be using it, or the system has none"
            )

    def _opened(self, what: str, receive: Receive, how: str, *arguments: Any) -> _LibremidiPort:
        configuration = self._library.InputConfiguration()
        configuration.ignore_sysex = configuration.ignore_timing = False
        configuration.on_raw_data = lambda data, _time: receive(bytes(data))
        port = self._library.MidiIn(configuration, self._api)
        self._check(getattr(port, how)(*arguments), what)
        number = max(self._open, default=0) + 1
        self._open[number] = port
        return _LibremidiPort(self, number)


class _LibremidiPort:
    def __init__(self, system: LibremidiSystem, number: int) -> None:
        self._system, self._number = system, number

    def close(self) -> None:
        self._system.release(self._number)


class _LibremidiOutput:
    def __init__(self, port: Any, what: str, close: Callable[[], object]) -> None:
        self._port, self._what, self._close = port, what, close

    def send(self, data: bytes) -> None:
        if error := self._port.send_message(list(data)):
            raise CmaudioError(f"{self._what} takes no messages ({error})")

    def close(self) -> None:
        with suppress(CmaudioError):  # the system was closed, and its ports with it
            self._close()


def _ignore(_port: object) -> None:
    """A required callback that does nothing."""


def unique_names(names: list[str]) -> list[str]:
    """Names with duplicates numbered: two keyboards of one kind are "Keys" and "Keys (2)"."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result
