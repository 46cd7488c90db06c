"""Connects the pipe and the pages: the instrument's last state, and the receivers of changes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from cmaudio.panel.pipe import Pipe, stamped
from cmaudio.panel.server_messages import Disconnected, Listening, ServerMessage

Message = dict[str, Any]
_MAX_COLUMNS = 40  # messages with spectrogram columns that may be queued for a slow page
_MAX_PACKETS = 15  # of sound
_MAX_REFUSALS = 8
_CROWDED_SECONDS = 0.02


class Follower:
    """One page's view of the state: changes are merged until it takes them, so that a slow page misses nothing."""

    def __init__(self, client: str) -> None:
        self.client = client
        self._state: Message = {}
        self._refusals: list[Message] = []
        self._introduction: list[Message] = []
        self._changed = asyncio.Event()

    def add(self, state: Mapping[str, Any]) -> None:
        """Merge a change."""
        for name, value in state.items():
            if name == "controls":
                self._state.setdefault("controls", {}).update(value)
            elif name == "columns":
                self._state["columns"] = [*self._state.get("columns", []), value][-_MAX_COLUMNS:]
            else:
                self._state[name] = value
        self._changed.set()

    def refuse(self, refusal: Message) -> None:
        """Add an answer to a refused command; the latest are kept."""
        self._refusals = [*self._refusals, refusal][-_MAX_REFUSALS:]
        self._changed.set()

    def introduce(self, introduction: Message) -> None:
        """Add an introduction that replaces the earlier one."""
        self._introduction = [introduction]
        self._changed.set()

    async def take(self) -> list[Message]:
        """All messages since the last call, as soon as there is one."""
        await self._changed.wait()
        self._changed.clear()
        messages = [*self._introduction, *self._refusals, *([{"kind": "state"} | self._state] if self._state else [])]
        self._state, self._refusals, self._introduction = {}, [], []
        return messages


class Hub:
    """Belongs to the server's event loop.

    Attributes:
        introduction: description of the instrument; `introduced` is set once it has arrived.
        state: the instrument's last known state.
        on_change: called with each change.
        on_message: called with refusals and notices.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.introduction: Message = {}
        self.introduced = asyncio.Event()
        self.state: Message = {"controls": {}}
        self.on_change: set[Callable[[Message], None]] = set()
        self.on_message: set[Callable[[Message], None]] = set()
        self._followers: set[Follower] = set()
        self._listeners: set[asyncio.Queue[bytes]] = set()

    # -- from the instrument -----------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Handle a message from the instrument."""
        message = json.loads(data)
        match message.get("kind"):
            case "state":
                del message["kind"]
                self._update(message)
            case "audio":
                self._play(base64.b64decode(message["pcm"]))
            case "hello":
                self.introduction = self.introduction | message  # after learning, it omits how to reach the page
                self.introduced.set()
                self._introduce()
            case "refused" | "notice" | "done":
                self.announce(message)

    def announce(self, message: Message) -> None:
        """Send a notice, a refusal or a confirmation to the pages; refusals also go to their client's socket."""
        for tell in tuple(self.on_message):
            tell(message)
        for follower in self._followers:
            if message["kind"] == "refused" and message.get("client") == follower.client:
                follower.refuse(message)

    def _introduce(self) -> None:
        """Send open pages a changed introduction: a timbre was learned."""
        for follower in self._followers:
            follower.introduce(self.introduction)
        for tell in tuple(self.on_change):
            tell({"timbres": [timbre["name"] for timbre in self.introduction["map"]]})

    def _update(self, changes: Message) -> None:
        for follower in self._followers:
            follower.add(changes)
        kept = {name: value for name, value in changes.items() if name not in ("columns", "controls")}
        controls = changes.get("controls", {})
        self.state |= kept
        self.state["controls"] |= controls
        for tell in tuple(self.on_change):
            tell(kept | ({"controls": controls} if controls else {}))

    def _play(self, packet: bytes) -> None:
        for packets in self._listeners:
            if packets.full():
                packets.get_nowait()
            packets.put_nowait(packet)

    # -- to the instrument -------------------------------------------------------------------------------------------

    def send(self, client: str, kind: str, **fields: Any) -> None:
        """Send a command from a client's page; refused while the instrument is far behind."""
        if self._pipe.crowded:
            self.announce({"kind": "refused", "client": client, "text": "too busy: try again"})
        else:
            self._pipe.send_bytes(stamped(client, json.dumps({"kind": kind} | fields)))

    async def forward(self, client: str, command: str) -> None:
        """Send a command as the client wrote it; waits while the instrument is far behind."""
        while self._pipe.crowded:
            await asyncio.sleep(_CROWDED_SECONDS)
        self._pipe.send_bytes(stamped(client, command))

    def _tell_host(self, message: ServerMessage) -> None:
        self._pipe.send_bytes(stamped("", message.model_dump_json()))

    # -- pages -------------------------------------------------------------------------------------------------------

    def follow(self, client: str) -> Follower:
        """A follower for a new socket; it starts with the full state."""
        follower = Follower(client)
        follower.add(self.state)
        self._followers.add(follower)
        return follower

    def unfollow(self, follower: Follower) -> None:
        """Remove the follower of a closed socket; the instrument releases what its client holds."""
        self._followers.discard(follower)
        self._tell_host(Disconnected(client=follower.client))

    def listen(self) -> asyncio.Queue[bytes]:
        """Packets of int16 samples for a page that plays the sound."""
        packets: asyncio.Queue[bytes] = asyncio.Queue(_MAX_PACKETS)
        self._listeners.add(packets)
        self._tell_host(Listening(on=True))
        return packets

    def stop_listening(self, packets: asyncio.Queue[bytes]) -> None:
        """Stop sending packets to a page that no longer plays the sound."""
        self._listeners.discard(packets)
        self._tell_host(Listening(on=bool(self._listeners)))
