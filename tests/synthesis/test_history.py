"""A history holds the last entries, in whatever parts they came."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.synthesis.history import History

LENGTH = 7


@pytest.mark.parametrize("size", [1, 3, 7, 10])
@pytest.mark.parametrize("read_each_time", [False, True])
def test_the_last_entries_are_kept(size: int, read_each_time: bool) -> None:
    history, expected = History(np.zeros((LENGTH, 2))), np.zeros((LENGTH, 2))
    for number in range(5):
        part = np.arange(2.0 * size).reshape(size, 2) + 100 * number
        history.append(part)
        expected = np.concatenate([expected, part])[-LENGTH:]
        for count in (1, 4, LENGTH):
            np.testing.assert_array_equal(history.last(count), expected[-count:])
        if read_each_time:
            np.testing.assert_array_equal(history.whole(), expected)
    np.testing.assert_array_equal(history.whole(), expected)


def test_changes_in_place_are_kept() -> None:
    history = History(np.zeros(LENGTH))
    history.append(np.ones(3))
    history.whole()[2:] = 5
    history.append(np.full(2, 6.0))
    np.testing.assert_array_equal(history.whole(), [5, 5, 5, 5, 5, 6, 6])
