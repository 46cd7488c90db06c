"""The content of a model card for programs: `card.json` in a model file, which files of earlier versions lack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from cmaudio.errors import CmaudioError, explain
from cmaudio.strict import Strict

MEMBER = "card.json"
FIGURES_HEADING = "## Figures"
_MOST_FIGURES, _MOST_CORPORA = 10_000, 1000
_MOST_LETTERS = 2000
_TRAINED_ON = re.compile(r"([^:]+): (\d{1,12}) clips, (\d{1,9}(?:\.\d{1,9})?) h")
_SOURCE = re.compile(r"([^()]+) \((.*)\)")
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?(e[+-]?\d\d?)?")

Label = Annotated[str, Field(max_length=_MOST_LETTERS)]


class _Record(Strict, extra="ignore"):
    """Ignores fields that later versions may add, since playing does not depend on them."""


class TrainingData(_Record):
    """A corpus that a model was trained on."""

    name: Label
    source: Label = ""
    licence: Label = ""
    clips: Annotated[int, Field(ge=0)] = 0
    hours: Annotated[float, Field(ge=0)] = 0.0


class CardData(_Record):
    """Data, size and metrics of a model.

    `parameters` are counts by network; `figures` are what `cmaudio evaluate` measured, under dotted names, on the
    `machine` and at the date `measured`.
    """

    trained_on: Annotated[list[TrainingData], Field(max_length=_MOST_CORPORA)] = Field(default_factory=list)
    parameters: dict[Label, int] = Field(default_factory=dict)
    figures: Annotated[dict[Label, float], Field(max_length=_MOST_FIGURES)] = Field(default_factory=dict)
    measured: Label = ""
    machine: Label = ""


def parse_card_data(path: Path, content: bytes) -> CardData:
    """The content of `card.json`. Raises CmaudioError that names the file and the field."""
    try:
        return CardData.model_validate_json(content)
    except ValidationError as error:
        raise CmaudioError(f"{path}: {MEMBER}: {explain(error)}; export the model again") from error


def read_card(card: str) -> CardData:
    """The data that can be read from the tables of a card."""
    facts, _, rest = card.partition(FIGURES_HEADING)
    rows = dict(_rows(facts))
    found = _TRAINED_ON.match(rows.get("trained on", ""))
    source = _SOURCE.fullmatch(rows.get("source", ""))
    origin, licence = source.groups() if source else ("", "")
    corpora = (
        [TrainingData(name=found[1], source=origin, licence=licence, clips=int(found[2]), hours=float(found[3]))]
        if found
        else []
    )
    figures = {name: float(value) for name, value in _rows(rest.partition("\n## ")[0]) if _NUMBER.fullmatch(value)}
    parameters = {
        name: round(1e6 * float(size[1]))
        for name, value in rows.items()
        if (size := re.fullmatch(r"(\d{1,6}\.\d\d) M parameters", value))
    }
    return CardData(trained_on=corpora, parameters=parameters, figures=dict(list(figures.items())[:_MOST_FIGURES]))


def _rows(text: str) -> Iterator[tuple[str, str]]:
    """The rows of tables with two columns."""
    for line in text.splitlines():
        cells = line.split(" | ")
        if line.startswith("| ") and line.endswith(" |") and len(cells) == 2 and len(line) <= _MOST_LETTERS:
            yield cells[0].removeprefix("| "), cells[1].removesuffix(" |")


def figures_of(report: dict[str, Any]) -> dict[str, Any]:
    """The fields of `CardData` that a report of `cmaudio evaluate --json` contains."""
    machine = report.get("machine")
    described = f"{machine.get('cpu')}, {machine.get('cores')} cores" if isinstance(machine, dict) else ""
    sections = report.get("sections", report)
    return {"figures": dict(_flat("", sections)), "measured": str(report.get("date", "")), "machine": described}


def figures_table(figures: dict[str, float]) -> str:
    """The figures as a table for the card."""
    return "\n".join(
        ["| figure | value |", "|---|---|", *(f"| {name} | {value:g} |" for name, value in figures.items())]
    )


def _flat(prefix: str, value: Any) -> list[tuple[str, float]]:
    """Numbers of nested metrics under dotted names; lists (such as worst cases) stay in the report."""
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _flat(f"{prefix}.{key}".lstrip("."), inner)]
    return [(prefix, value)] if isinstance(value, int | float) and not isinstance(value, bool) else []
