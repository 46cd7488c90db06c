"""The server's middle: what the engine last said, and the pages that are to know of it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from cmaudio.panel.link import Link

_MOST_COLUMNS = 40  # messages with columns that may wait for a slow page
_MOST_PACKETS = 15  # of sound


class Follower:
    """A page's share: changes are put together until it takes them, so that a slow page lacks none."""

    def __init__(self) -> None:
        self._pending: dict[str, Any] = {}
        self._changed = asyncio.Event()

    def add(self, state: Mapping[str, Any]) -> None:
        """Have it told."""
        for name, value in state.items():
            if name == "controls":
                self._pending.setdefault("controls", {}).update(value)
            elif name == "columns":
                self._pending["columns"] = [*self._pending.get("columns", []), value][-_MOST_COLUMNS:]
            else:
                self._pending[name] = value
        self._changed.set()

    async def take(self) -> dict[str, Any]:
        """All that is new, as soon as something is."""
        await self._changed.wait()
        self._changed.clear()
        taken, self._pending = self._pending, {}
        return taken


class Hub:
    """Belongs to the server's event loop; `commands` go to the engine from there."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.introduction: dict[str, Any] = {}
        self.state: dict[str, Any] = {"controls": {}}
        self.introduced = asyncio.Event()
        self.followers: set[Follower] = set()
        self.on_change: set[Callable[[Mapping[str, Any]], None]] = set()
        self.on_word: set[Callable[[Mapping[str, Any]], None]] = set()  # refusals and notices
        self._listeners: set[asyncio.Queue[bytes]] = set()

    def take(self, data: bytes) -> None:
        """A message of the engine."""
        message = json.loads(data)
        kind = message.pop("kind", "")
        if kind == "state":
            self._follow(message)
        elif kind == "audio":
            self._play(base64.b64decode(message["pcm"]))
        elif kind == "hello":
            self.introduction = {"kind": "hello"} | message
            self.introduced.set()
        elif kind in ("refused", "notice"):
            for tell in tuple(self.on_word):
                tell({"kind": kind} | message)

    def send(self, client: str, kind: str, **fields: Any) -> None:
        """A command for the engine."""
        self.link.send({"client": client, "kind": kind} | fields)

    def follow(self) -> Follower:
        """A new page; it is told all of the state first."""
        follower = Follower()
        follower.add(self.state)
        self.followers.add(follower)
        return follower

    def listen(self) -> asyncio.Queue[bytes]:
        """A page that wants the sound: packets of int16 samples."""
        packets: asyncio.Queue[bytes] = asyncio.Queue(_MOST_PACKETS)
        self._listeners.add(packets)
        self._tell_listened()
        return packets

    def stop_listening(self, packets: asyncio.Queue[bytes]) -> None:
        """It wants it no more."""
        self._listeners.discard(packets)
        self._tell_listened()

    def _tell_listened(self) -> None:
        self.send("server", "listen", on=bool(self._listeners))

    def _follow(self, message: dict[str, Any]) -> None:
        for follower in self.followers:
            follower.add(message)
        kept = {name: value for name, value in message.items() if name not in ("columns", "controls")}
        controls = message.get("controls", {})
        self.state |= kept
        self.state["controls"] |= controls
        for tell in tuple(self.on_change):
            tell(kept | ({"controls": controls} if controls else {}))

    def _play(self, packet: bytes) -> None:
        for packets in self._listeners:
            if packets.full():
                packets.get_nowait()
            packets.put_nowait(packet)
