"""MIDI Polyphonic Expression: which channels form a zone, and which one manages it.

MPE specification 1.0 and 1.1 (MIDI Association, M1-100-UM). Channels are counted from 0 here: the lower zone's manager
is 0 and its members are 1, 2, ...; the upper zone's manager is 15 and its members are 14, 13, ...
"""

from __future__ import annotations

from dataclasses import dataclass

LOWER_MANAGER, UPPER_MANAGER = 0, 15
MEMBERS_MAX = 15
MEMBER_BEND_RANGE, MANAGER_BEND_RANGE = 48.0, 2.0  # semitones, until parameter 0 says otherwise


@dataclass
class Zones:
    """The two zones, by how many member channels they have; 0 is no zone."""

    lower: int = 0
    upper: int = 0

    def configure(self, manager: int, members: int) -> list[int]:
        """Apply an MPE Configuration Message (parameter 6) on a manager's channel; more than 15 members count as 15.

        A growing zone takes channels from the other one. Returns the channels that were or are in a zone, which must be
        reset. On other channels the message is ignored, and none are returned.
        """
        if manager not in (LOWER_MANAGER, UPPER_MANAGER):
            return []
        before = self._all()
        members = min(members, MEMBERS_MAX)
        room = max(0, MEMBERS_MAX - 1 - members)
        if manager == LOWER_MANAGER:
            self.lower, self.upper = members, min(self.upper, room)
        else:
            self.lower, self.upper = min(self.lower, room), members
        return sorted(before | self._all() | {manager})

    def _all(self) -> set[int]:
        return {channel for manager in (LOWER_MANAGER, UPPER_MANAGER) for channel in self._zone(manager)}

    def _zone(self, manager: int) -> list[int]:
        """A zone's channels, its manager first; empty where there is none."""
        if manager == LOWER_MANAGER:
            return list(range(self.lower + 1)) if self.lower else []
        return list(range(UPPER_MANAGER, UPPER_MANAGER - self.upper - 1, -1)) if self.upper else []

    def manager_of(self, channel: int) -> int | None:
        """The manager of a member channel; None for all others, managers included."""
        if 0 < channel <= self.lower:
            return LOWER_MANAGER
        if UPPER_MANAGER > channel >= UPPER_MANAGER - self.upper:
            return UPPER_MANAGER
        return None

    def speaks_for(self, channel: int) -> list[int]:
        """The channels that a message on this one addresses: for a manager, its whole zone."""
        is_manager = channel in (LOWER_MANAGER, UPPER_MANAGER) and self.manager_of(channel) is None
        return (self._zone(channel) if is_manager else []) or [channel]

    def siblings(self, channel: int) -> list[int]:
        """The member channels of the same zone, this one included; only the channel itself if it is not a member."""
        manager = self.manager_of(channel)
        return [channel] if manager is None else self._zone(manager)[1:]

    def contains(self, channel: int) -> bool:
        """Whether it is a manager or a member."""
        return channel in self._all()
