"""Bake the modulators of a SoundFont into its generators, for a player that supports generators only.

TinySoundFont ignores modulators. In most presets they only shade a note; the pianos of the MuseScore SoundFonts close
their filters with generators and rely on modulators to open them by velocity and key; without them they are 20 to 30 dB
too quiet. Velocity and key are constant during a note, so a preset's zones can be split into small ranges of both, each
with the value of its modulators in the middle. Numbers are those of the SoundFont 2.04 specification (sections 7, 8).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

Generators = dict[int, int]

_KEY_RANGE, _VELOCITY_RANGE, _INSTRUMENT, _ATTENUATION = 43, 44, 41, 48
_VELOCITY, _KEY = 2, 3  # general controllers that a modulator may read
_DEFAULT_ATTENUATION = 960.0  # default attenuation by velocity, in centibels
_MAKE_UP = 60.0  # centibels: TinySoundFont plays mid velocities of all other presets this much louder than specified
_STEPS = ((4, 8), (8, 16), (16, 128))  # velocities and keys per range: the finest that 16-bit indices allow
_SIZES = {
    b"phdr": 38,
    b"pbag": 4,
    b"pmod": 10,
    b"pgen": 4,
    b"inst": 22,
    b"ibag": 4,
    b"imod": 10,
    b"igen": 4,
    b"shdr": 46,
}
_MARK = b"pdtaphdr"


@dataclass(frozen=True)
class _Modulator:
    source: int
    destination: int
    amount: int
    amount_source: int
    transform: int

    @property
    def key(self) -> tuple[int, int, int, int]:
        """Of modulators with the same key, the most local one applies."""
        return self.source, self.destination, self.amount_source, self.transform

    @property
    def rests(self) -> bool:
        """Whether it depends only on velocity and key."""
        known = (0, _VELOCITY, _KEY)
        readable = all(not s & 0x80 and s & 0x7F in known for s in (self.source, self.amount_source))
        return self.source != 0 and readable and self.transform == 0

    def value(self, velocity: float, key: float) -> float:
        scale = _controller(self.amount_source, velocity, key) if self.amount_source else 1.0
        return self.amount * _controller(self.source, velocity, key) * scale


def _controller(source: int, velocity: float, key: float) -> float:
    """A controller in -1..1 or 0..1, by its bits: index, direction (0x100), polarity (0x200), curve (from 0x400 on)."""
    x = (velocity if source & 0x7F == _VELOCITY else key) / 128
    x = 1 - x if source & 0x100 else x
    curve = source >> 10
    if curve == 1:
        x = min(1.0, -40 / 96 * math.log10(max(1 - x, 1e-3)))
    elif curve == 2:
        x = max(0.0, 1 + 40 / 96 * math.log10(max(x, 1e-3)))
    elif curve == 3:
        x = float(x >= 0.5)
    return 2 * x - 1 if source & 0x200 else x


def bake_modulators(data: bytes, programs: Collection[int]) -> bytes:
    """The SoundFont (.sf2, .sf3) with the modulators of these programs (0..127, bank 0) in its generators.

    Raises ValueError or struct.error for data that is not a SoundFont.
    """
    tables = _Tables(data)
    for velocities, keys in _STEPS:
        baked = tables.baked(programs, velocities, keys)
        if baked is not None:
            return baked
    return data


class _Tables:
    """The `pdta` list of a SoundFont: its presets and their zones."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.start = data.rindex(_MARK) - 8
        self.chunks: dict[bytes, list[bytes]] = {}
        at = self.start + 12
        for name, size in _SIZES.items():
            found, length = struct.unpack_from("<4sI", data, at)
            if found != name:
                raise ValueError(f"{found!r} where {name!r} should be")
            body = data[at + 8 : at + 8 + length]
            self.chunks[name] = [body[i : i + size] for i in range(0, length, size)]
            at += 8 + length

    def zones(self, level: bytes, first: int, end: int) -> list[tuple[Generators, list[_Modulator]]]:
        """Zones first..end of the presets (b"p") or instruments (b"i")."""
        bags = [struct.unpack("<HH", row) for row in self.chunks[level + b"bag"][first : end + 1]]
        zones = []
        for (gen, mod), (gen_end, mod_end) in pairwise(bags):
            generators = dict(struct.unpack("<Hh", row) for row in self.chunks[level + b"gen"][gen:gen_end])
            modulators = [_Modulator(*struct.unpack("<HHhHH", row)) for row in self.chunks[level + b"mod"][mod:mod_end]]
            zones.append((generators, modulators))
        return zones

    def instrument_attenuation(self, instrument: int) -> float:
        """The instrument's attenuation by velocity, in centibels."""
        first, end = (struct.unpack("<20sH", row)[1] for row in self.chunks[b"inst"][instrument : instrument + 2])
        default = (0x502, _ATTENUATION, 0, 0)
        found = [m.amount for _, mods in self.zones(b"i", first, min(first + 1, end)) for m in mods if m.key == default]
        return float(found[0]) if found else _DEFAULT_ATTENUATION

    def baked(self, programs: Collection[int], velocities: int, keys: int) -> bytes | None:
        """None if the generators would not fit."""
        headers: list[bytes] = []
        bags: list[bytes] = []
        generators: list[bytes] = []
        presets = [struct.unpack("<20sHHHIII", row) for row in self.chunks[b"phdr"]]
        for preset, following in pairwise(presets):
            headers.append(struct.pack("<20sHHHIII", *preset[:3], len(bags), *preset[4:]))
            zones = self.zones(b"p", preset[3], following[3])
            of_preset = [zone for zone, _ in zones]
            if preset[2] == 0 and preset[1] in programs:
                of_preset = list(self._bake(zones, velocities, keys))
            for zone in of_preset:
                bags.append(struct.pack("<HH", min(len(generators), 0xFFFF), 0))
                order = sorted(zone, key=lambda g: (g == _INSTRUMENT, g not in (_KEY_RANGE, _VELOCITY_RANGE), g))
                generators += [struct.pack("<Hh", g, zone[g]) for g in order]
        headers.append(struct.pack("<20sHHHIII", *presets[-1][:3], min(len(bags), 0xFFFF), *presets[-1][4:]))
        if max(len(bags), len(generators)) >= 0xFFFF:
            return None
        bags.append(struct.pack("<HH", len(generators), 0))
        generators.append(self.chunks[b"pgen"][-1])
        changed = {b"phdr": headers, b"pbag": bags, b"pmod": [bytes(10)], b"pgen": generators}
        return self._assembled(self.chunks | changed)

    def _bake(
        self, zones: list[tuple[Generators, list[_Modulator]]], velocities: int, keys: int
    ) -> Iterator[Generators]:
        shared: Generators = {}
        shared_modulators: list[_Modulator] = []
        if zones and _INSTRUMENT not in zones[0][0]:
            (shared, shared_modulators), *zones = zones
        for own, own_modulators in zones:
            zone = shared | own
            every = {m.key: m for m in (*shared_modulators, *own_modulators)}
            moving = [m for m in every.values() if m.rests]
            attenuation = self.instrument_attenuation(zone[_INSTRUMENT])
            for low_velocity, high_velocity in _ranges(zone.get(_VELOCITY_RANGE), velocities):
                for low_key, high_key in _ranges(zone.get(_KEY_RANGE), keys):
                    middle = (low_velocity + high_velocity) / 2, (low_key + high_key) / 2
                    amounts = _amounts(moving, attenuation, *middle)
                    limits = {
                        _VELOCITY_RANGE: _packed(low_velocity, high_velocity),
                        _KEY_RANGE: _packed(low_key, high_key),
                    }
                    yield zone | {d: _short(zone.get(d, 0) + amount) for d, amount in amounts.items()} | limits

    def _assembled(self, chunks: dict[bytes, list[bytes]]) -> bytes:
        bodies = {name: b"".join(rows) for name, rows in chunks.items()}
        body = b"pdta" + b"".join(struct.pack("<4sI", name, len(rows)) + rows for name, rows in bodies.items())
        whole = self.data[8 : self.start] + struct.pack("<4sI", b"LIST", len(body)) + body
        return struct.pack("<4sI", b"RIFF", len(whole)) + whole


def _amounts(modulators: list[_Modulator], attenuation: float, velocity: float, key: float) -> dict[int, float]:
    """What to add to each generator. TinySoundFont itself attenuates by 20 dB per factor of ten in velocity."""
    amounts: dict[int, float] = {}
    for modulator in modulators:
        destination = modulator.destination
        amounts[destination] = amounts.get(destination, 0.0) + modulator.value(velocity, key)
    if _ATTENUATION in amounts:
        decades = math.log10(127 / max(velocity, 1))
        amounts[_ATTENUATION] += attenuation * 400 / 960 * decades - 200 * decades - _MAKE_UP
    return amounts


def _ranges(packed: int | None, width: int) -> list[tuple[int, int]]:
    low, high = (packed & 0xFF, packed >> 8 & 0xFF) if packed is not None else (0, 127)
    return [(first, min(first + width - 1, high)) for first in range(low, high + 1, width)]


def _packed(low: int, high: int) -> int:
    return low | high << 8


def _short(value: float) -> int:
    return max(-0x8000, min(0x7FFF, round(value)))
