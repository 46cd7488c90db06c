"""Sections of the report of a model of textures."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.evaluation.context import EvaluationContext, Figures
from cmaudio.evaluation.textures.beds import measure_beds
from cmaudio.evaluation.textures.controls import measure_controls
from cmaudio.evaluation.textures.copies import measure_copies
from cmaudio.evaluation.textures.likeness import measure_likeness
from cmaudio.evaluation.textures.naming import measure_naming
from cmaudio.evaluation.textures.takes import measure_takes

TEXTURE_SECTIONS: dict[str, Callable[[EvaluationContext], Figures]] = {
    "likeness": measure_likeness,
    "naming": measure_naming,
    "copies": measure_copies,
    "takes": measure_takes,
    "controls": measure_controls,
    "beds": measure_beds,
}
__all__ = ["TEXTURE_SECTIONS"]
