"""XG's kits of sound effects and what stands in for their keys."""

from __future__ import annotations

import pytest

from cmaudio.score.general_midi import PROGRAMS
from cmaudio.score.sound_effects import KITS, sound_effect


@pytest.mark.parametrize(
    ("kit", "key", "expected"),
    [
        (0, 36, "guitar fret noise"),
        (0, 69, "gunshot"),  # thunder
        (0, 70, "seashore"),  # wind
        (0, 86, "bird tweet"),
        (1, 42, "telephone ring"),
        (1, 73, "applause"),
        (1, 84, "helicopter"),  # machine gun
    ],
)
def test_a_key_has_a_program_like_it(kit: int, key: int, expected: str) -> None:
    found = sound_effect(kit, key)
    assert found is not None
    assert PROGRAMS[found[0]] == expected


@pytest.mark.parametrize("kit", KITS)
def test_pitches_within_a_kit_differ(kit: int) -> None:
    found = [each for key in range(128) if (each := sound_effect(kit, key)) is not None]
    assert len({pitch for _, pitch in found}) == len(found) > 10


@pytest.mark.parametrize(("kit", "key"), [(0, 35), (0, 84), (1, 100), (1, 68), (1, 69)])
def test_voices_animals_and_other_keys_have_none(kit: int, key: int) -> None:
    assert sound_effect(kit, key) is None
