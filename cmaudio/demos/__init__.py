"""Short pieces written for this project, one for each thing that it does: `cmaudio demo`."""

from __future__ import annotations

from cmaudio.demos.catalogue import DEMOS, find_demo

__all__ = ["DEMOS", "find_demo"]
