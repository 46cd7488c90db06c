"""The queue of a voice's finished samples."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.synthesis.voice_output import VoiceOutput

OVERLAP = 3


def _filled(channels: int = 1, blocks: int = 3, hop: int = 4, skipped: int = 0) -> tuple[VoiceOutput, np.ndarray]:
    """An output with random blocks, and all that is complete by a plain overlap-add."""
    output, rng = VoiceOutput(OVERLAP, channels), np.random.default_rng(0)
    rows = () if channels == 1 else (2,)
    whole = np.zeros((*rows, blocks * hop + OVERLAP), np.float32)
    for i in range(blocks):
        block = rng.standard_normal((*rows, hop + OVERLAP)).astype(np.float32)
        whole[..., i * hop : (i + 1) * hop + OVERLAP] += block
        output.append(output.overlap_add(block, skipped if i == 0 else 0))
    return output, whole[..., skipped:-OVERLAP]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("skipped", [0, 2])
@pytest.mark.parametrize("counts", [[12], [1, 5, 0, 20], [3] * 5])
def test_samples_are_taken_in_order_as_they_were_overlap_added(channels: int, skipped: int, counts: list[int]) -> None:
    output, expected = _filled(channels, skipped=skipped)
    assert output.waiting == expected.shape[-1]
    taken = np.concatenate([output.take(count) for count in counts], axis=-1)
    np.testing.assert_allclose(taken, expected[..., : sum(counts)], atol=1e-6)


def test_a_block_waits_only_once_it_is_appended() -> None:
    output = VoiceOutput(OVERLAP, 1)
    complete = output.overlap_add(np.ones(4 + OVERLAP, np.float32))
    assert output.waiting == 0
    output.append(complete)
    assert output.waiting == 4


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("taken", [0, 5])
def test_a_change_reaches_complete_samples_and_those_that_still_grow(channels: int, taken: int) -> None:
    output, expected = _filled(channels)
    output.take(taken)
    offset = 2
    change = np.ones(expected.shape[-1] - taken - offset + OVERLAP, np.float32)
    output.change(offset, change)
    changed = expected[..., taken:].copy()
    changed[..., offset:] += 1
    np.testing.assert_allclose(output.take(changed.shape[-1]), changed, atol=1e-6)
    rows = () if channels == 1 else (2,)
    before, _ = _filled(channels)
    silence = np.zeros((*rows, OVERLAP * 2), np.float32)
    before.take(expected.shape[-1])
    grown = before.overlap_add(silence.copy()) + 1
    np.testing.assert_allclose(output.overlap_add(silence.copy()), grown, atol=1e-6)
