"""Which streams share the next evaluation."""

from __future__ import annotations

import pytest

from cmaudio.serve.choice import Candidate, next_batch, seconds_until_due


def candidate(name: int, slack: float, model: str = "english", lead: float = 5.0, voices: int = 1) -> Candidate:
    return Candidate(name, model, slack, lead, voices)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([], []),
        ([candidate(1, 2.0), candidate(2, 1.0)], [2, 1]),
        ([candidate(1, 4.9), candidate(2, -0.1)], [2, 1]),  # a new one first
        ([candidate(1, 5.0), candidate(2, 9.0)], []),  # far enough ahead
        ([candidate(1, 4.0), candidate(2, 3.0)], []),  # both have a reserve: they wait for each other
        ([candidate(1, 4.0), candidate(2, 2.4)], [2, 1]),  # one is down to its reserve, and the other joins it
        ([candidate(1, 0.05, lead=0.08), candidate(2, 9.0, lead=20.0)], [2, 1]),  # reserves are shares of the lead
        ([candidate(1, 4.0), candidate(2, 2.4, "russian")], [2]),
        ([candidate(1, 1.0), candidate(2, 0.0, "russian"), candidate(3, 2.0, "russian")], [2, 3]),
        ([candidate(1, 1.0), candidate(2, 2.0), candidate(3, 3.0)], [1, 2]),  # three do not fit
        ([candidate(1, 1.0, voices=3), candidate(2, 2.0)], [1]),  # more than fit, alone
        ([candidate(1, 1.0), candidate(2, 2.0, voices=2), candidate(3, 3.0)], [1]),  # nobody overtakes
    ],
)
def test_the_most_urgent_streams_of_one_model_go_together(candidates: list[Candidate], chosen: list[int]) -> None:
    assert next_batch(candidates, most_voices=2) == chosen


def test_waiting_ends_when_the_first_stream_is_down_to_its_reserve() -> None:
    assert seconds_until_due([]) is None
    assert seconds_until_due([candidate(1, 7.0), candidate(2, 6.0)]) == pytest.approx(3.5)
    assert seconds_until_due([candidate(1, -1.0)]) == 0.0
