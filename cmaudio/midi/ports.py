"""Input ports that are kept open, including those connected later; arrivals are time-stamped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults
from cmaudio.midi.system import (
    InputPort,
    LibremidiSystem,
    MidiOutputSystem,
    MidiSystem,
    OpenPort,
    OutputPort,
    Receive,
)

_LOOK_EVERY_SECONDS = 1.0
Arrived = Callable[[float, str, bytes], None]
Port = TypeVar("Port", InputPort, OutputPort)


def list_midi_inputs(system: MidiSystem | None = None) -> list[str]:
    """Names of the MIDI input ports. Raises CmaudioError if the machine has no MIDI system."""
    source = system or LibremidiSystem()
    try:
        return [port.name for port in source.inputs()]
    finally:
        if system is None:
            source.close()


def list_midi_outputs(system: MidiOutputSystem | None = None) -> list[str]:
    """Names of the MIDI output ports. Raises CmaudioError if the machine has no MIDI system."""
    source = system or LibremidiSystem()
    try:
        return [port.name for port in source.outputs()]
    finally:
        if system is None:
            source.close()


def find_input(wanted: str | int, ports: Sequence[InputPort]) -> InputPort:
    """A port by index, name, or part of its name (case does not matter).

    Raises CmaudioError if none or several match; it lists those available.
    """
    return _find("input", wanted, ports)


def find_output(wanted: str | int, ports: Sequence[OutputPort]) -> OutputPort:
    """The same among the outputs."""
    return _find("output", wanted, ports)


def _find(what: str, wanted: str | int, ports: Sequence[Port]) -> Port:
    listed = ", ".join(f"{i} {port.name!r}" for i, port in enumerate(ports)) or "none"
    if isinstance(wanted, int):
        if 0 <= wanted < len(ports):
            return ports[wanted]
        raise CmaudioError(f"no MIDI {what} {wanted}; available: {listed} (`cmaudio midi`)")
    low = wanted.strip().lower()
    exact = [port for port in ports if port.name.lower() == low]
    found = exact or [port for port in ports if low in port.name.lower()]
    if len(found) != 1:
        many = f"several MIDI {what}s match" if found else f"no MIDI {what} matches"
        raise CmaudioError(f"{many} {wanted!r}; available: {listed} (`cmaudio midi`)")
    return found[0]


class MidiPorts:
    """Listens to ports until it is closed.

    Args:
        system: the MIDI system.
        arrived: called with the time (`time.perf_counter`), the port's name and raw bytes, on any thread.
        port: index, name or part of a name; None for all, including those connected later.
        virtual: name of a port to create for other programs.
        gone: called with the name of a port that was disconnected.
        on_notice: called when ports appear or disappear.

    Raises:
        CmaudioError: no such port, one that cannot be opened, no virtual ports on this system.
    """

    def __init__(
        self,
        system: MidiSystem,
        arrived: Arrived,
        *,
        port: str | int | None = None,
        virtual: str | None = None,
        gone: Callable[[str], None] = lambda _name: None,
        on_notice: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._system, self._arrived, self._gone, self._on_notice = system, arrived, gone, on_notice
        self._open: dict[InputPort, OpenPort] = {}
        self._known: set[str] = set()
        self._refused: set[str] = set()
        self._lock = threading.Lock()  # one scan at a time
        found = system.inputs()
        self._only = None if port is None else find_input(port, found).name
        self._virtual_name = virtual
        self._virtual = None if virtual is None else system.open_virtual(virtual, self._receiver(virtual))
        try:
            self._follow(found, first=True)
        except CmaudioError:
            self._close_all()
            raise
        if not self.names:
            on_notice("no MIDI input is connected yet; it is opened as soon as one appears")
        self._ending, self._faults = threading.Event(), Faults(on_notice)
        self._thread = threading.Thread(target=self._watch, name="cmaudio-midi-ports", daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        """The ports that are open."""
        return [*(port.name for port in tuple(self._open)), *([self._virtual_name] if self._virtual_name else ())]

    def close(self) -> None:
        """Stop listening; the system itself stays open."""
        self._ending.set()
        self._thread.join()
        self._close_all()

    def _close_all(self) -> None:
        for port in (*self._open.values(), self._virtual):
            if port is not None:
                port.close()
        self._open.clear()

    def _receiver(self, name: str) -> Receive:
        arrived, now = self._arrived, time.perf_counter
        return lambda data: arrived(now(), name, data)

    def _watch(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_SECONDS):
            self._faults.attempt("MIDI ports that come and go may be missed", self.look)

    def look(self) -> None:
        """Open new ports, and close those that have disappeared."""
        with self._lock:
            try:
                self._follow(self._system.inputs(), first=False)
            except CmaudioError as error:
                self._tell_once(str(error))

    def _follow(self, found: Sequence[InputPort], first: bool) -> None:
        available = {(port.name, port.key): port for port in found if self._only in (None, port.name)}
        listened = {(port.name, port.key): port for port in self._open}
        for identity in listened.keys() - available.keys():
            port = listened[identity]
            self._open.pop(port).close()
            self._gone(port.name)
            self._on_notice(f"MIDI port {port.name!r} is gone; it is reopened when it returns")
        for identity, port in available.items():
            if identity not in listened:
                self._listen(port, first)

    def _listen(self, port: InputPort, first: bool) -> None:
        try:
            self._open[port] = self._system.open(port, self._receiver(port.name))
        except CmaudioError as error:
            if first and self._only is not None:
                raise
            self._tell_once(str(error))
            return
        if not first:
            self._on_notice(f"MIDI port {port.name!r} is {'back' if port.name in self._known else 'connected'}")
        self._known.add(port.name)

    def _tell_once(self, text: str) -> None:
        if text not in self._refused:
            self._refused.add(text)
            self._on_notice(text)
