"""Every public name has a docstring."""

from __future__ import annotations

import pytest

import cmaudio


@pytest.mark.parametrize("name", cmaudio.__all__)
def test_public_names_have_a_docstring(name: str) -> None:
    documentation = getattr(cmaudio, name).__doc__
    assert documentation
    assert not documentation.startswith(f"{name}("), "the signature that a dataclass writes by itself"
