"""An output port that is reopened when it reappears, as after a USB cable was unplugged."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults
from cmaudio.midi.ports import find_output
from cmaudio.midi.system import MidiOutputSystem, OutputPort, SendingPort

_LOOK_EVERY_SECONDS = 1.0


class ReconnectingPort:
    """Sends to one port until it is closed.

    Args:
        system: the MIDI system.
        port: index, name or part of a name of an existing port; None for a virtual one.
        virtual: name of the port to create.
        on_return: called when the port is back.
        on_notice: called once when it disappears, and once when it is back.

    Attributes:
        name: the port's name.

    Raises:
        CmaudioError: no such port, one that cannot be opened, no virtual ports on this system.
    """

    def __init__(
        self,
        system: MidiOutputSystem,
        port: str | int | None,
        virtual: str,
        on_return: Callable[[], object],
        on_notice: Callable[[str], object],
    ) -> None:
        self._system, self._on_return, self._on_notice = system, on_return, on_notice
        self._lock = threading.RLock()  # held to send, which does not wait, and to close
        self._open: SendingPort | None
        self._known: OutputPort | None = None
        if port is None:
            self.name = virtual
            self._open = system.open_virtual_output(virtual)
        else:
            self._known = find_output(port, system.outputs())
            self.name = self._known.name
            self._open = system.open_output(self._known)
        self._ending, self._faults = threading.Event(), Faults(on_notice)
        self._thread = threading.Thread(target=self._watch, name="cmaudio-midi-out-port", daemon=True)
        self._thread.start()

    @property
    def there(self) -> bool:
        """Whether the port is open."""
        return self._open is not None

    def send(self, data: bytes) -> None:
        """Send a message, if the port is there; by one thread."""
        with self._lock:
            if self._open is not None:
                try:
                    self._open.send(data)
                except CmaudioError as error:
                    self._lose(str(error))

    def look(self) -> None:
        """Check whether the port has disappeared or returned."""
        if self._known is None:
            return
        try:
            matching = [port for port in self._system.outputs() if port.name == self._known.name]
        except CmaudioError:
            return
        with self._lock:
            if self._open is not None and [port.key for port in matching] != [self._known.key]:
                self._lose(f"MIDI port {self.name!r} is gone")
            elif self._open is None and matching:
                self._reopen(matching[0])

    def close(self) -> None:
        """Close the port."""
        self._ending.set()
        self._thread.join()
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _watch(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_SECONDS):
            self._faults.attempt("MIDI ports that come and go may be missed", self.look)

    def _lose(self, why: str) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None
        again = ", and it is opened again when it returns" if self._known else ""
        self._on_notice(f"{why}; the sound goes on{again}")

    def _reopen(self, found: OutputPort) -> None:
        try:
            port = self._system.open_output(found)
        except CmaudioError:
            return  # it may not be ready yet
        self._known = found
        self._on_return()
        self._open = port
        self._on_notice(f"MIDI port {self.name!r} is back")
