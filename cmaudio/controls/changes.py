"""Collects the names of controls that others have changed, for a thread that displays them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cmaudio.controls.controls import Controls


class Changes:
    """Collects the names of changed controls (and "timbre", "routes", "seed", "seed_locked") until they are taken.

    Args:
        controls: the controls to watch.
        is_own: whether a change came from the listener itself; such changes are left out.
        on_own: called with the names of the listener's own changes.
    """

    def __init__(
        self, controls: Controls, is_own: Callable[[str], bool], on_own: Callable[[str], object] | None = None
    ) -> None:
        self._is_own, self._on_own = is_own, on_own
        self._sources: dict[str, str] = {}  # by name
        self._lock = threading.Lock()
        self.close = controls.subscribe(self._listen)

    def take(self) -> dict[str, str]:
        """The names since the last call, each with the source of its last change."""
        with self._lock:
            sources, self._sources = self._sources, {}
        return sources

    def _listen(self, name: str, value: object, source: str) -> None:
        if not self._is_own(source):
            with self._lock:
                self._sources[name] = source
        elif self._on_own is not None:
            self._on_own(name)
