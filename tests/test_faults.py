"""Errors of something that must go on: raised without a listener, and with one reported once for each kind."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.faults import Faults


def _divides() -> None:
    _ = 1 / 0


def _has_no_key() -> None:
    _ = dict[str, int]()["key"]


def _leaves() -> None:
    sys.exit(3)


def _refuses() -> None:
    raise CmaudioError("no such timbre; choose another")


KINDS: list[tuple[Callable[[], object], str]] = [
    (_divides, r"^it broke: ZeroDivisionError: division by zero \(test_faults\.py:\d+\); .* report it with this line$"),
    (_has_no_key, r"^it broke: KeyError: 'key' \(test_faults\.py:\d+\); "),
    (_leaves, r"^it broke: SystemExit: 3 \(test_faults\.py:\d+\); "),
    (_refuses, r"^it broke: no such timbre; choose another$"),
]


@pytest.mark.parametrize(("call", "line"), KINDS)
def test_an_error_is_one_line_with_its_place_and_what_to_do(call: Callable[[], object], line: str) -> None:
    lines: list[str] = []
    assert Faults(lines.append).attempt("it broke", call) is None
    assert len(lines) == 1
    with pytest.raises(AssertionError, match=line):
        raise AssertionError(lines[0])


@pytest.mark.parametrize(("call", "_line"), KINDS)
def test_without_a_listener_it_is_raised(call: Callable[[], object], _line: str) -> None:
    with pytest.raises((ZeroDivisionError, KeyError, SystemExit, CmaudioError)):
        Faults().attempt("it broke", call)


def test_a_result_is_passed_on() -> None:
    assert Faults().attempt("it broke", divmod, 7, 2) == (3, 1)


def test_each_kind_is_reported_once_and_again_after_a_minute_without_it() -> None:
    lines: list[str] = []
    now = [0.0]
    faults = Faults(lines.append, lambda: now[0])
    for seconds in (0.0, 1.0, 60.0, 119.0):  # never a minute apart
        now[0] = seconds
        faults.attempt("it broke", _divides)
    assert len(lines) == 1
    faults.attempt("it broke", _has_no_key)
    faults.attempt("something else broke", _divides)
    assert len(lines) == 3
    now[0] = 180.0
    faults.attempt("it broke", _divides)
    assert len(lines) == 4


def test_the_innermost_place_of_this_package_is_named() -> None:
    lines: list[str] = []
    faults = Faults(lines.append)
    faults.attempt("it broke", Faults().attempt, "inside", _divides)
    assert "test_faults.py:" in lines[0]
