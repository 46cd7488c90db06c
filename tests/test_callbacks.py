"""Callbacks of users may fail, and nothing else does."""

from __future__ import annotations

import sys

import pytest

from cmaudio.callbacks import call_guarded


def test_an_error_of_a_callback_is_reported_and_goes_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: reported.append(error[0]))
    received: list[object] = []
    call_guarded(received.append, "text")
    call_guarded(lambda: 1 / 0)
    assert received == ["text"]
    assert reported == [ZeroDivisionError]
