"""Adds the results of `cmaudio evaluate --json`, or the content of the card, to a model file (`card.json`)."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from cmaudio.errors import CmaudioError, explain
from cmaudio.files.reading import read_json
from cmaudio.model.card_data import FIGURES_HEADING, CardData, figures_of, figures_table
from cmaudio.model.file import Model
from cmaudio.model.saving import save_changed

_SECTION = re.compile(rf"^{FIGURES_HEADING}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def read_figures(path: Path, data: CardData) -> CardData:
    """The card's data with the metrics of a report. Raises CmaudioError for a file that is not a report."""
    report = read_json(path, "evaluation", "run `cmaudio evaluate --json` again, or delete it")
    fields = figures_of(report)
    if not fields["figures"]:
        raise CmaudioError(f"evaluation {path} holds no figures; write it by `cmaudio evaluate --json > {path.name}`")
    try:
        return CardData.model_validate(data.model_dump() | fields)
    except ValidationError as error:
        raise CmaudioError(f"evaluation {path}: {explain(error)}; run `cmaudio evaluate --json` again") from error


def amend_figures(model: Model, output: Path, report: Path) -> Model:
    """Write a model file with the figures of a report; its networks are unchanged, byte for byte."""
    data = read_figures(report, model.data)
    section = f"{FIGURES_HEADING}\n\n{figures_table(data.figures)}\n\n"
    card = _SECTION.sub(lambda _: section, model.card, count=1)
    card = card if section in card else f"{model.card.rstrip()}\n\n{section.rstrip()}\n"
    return save_changed(model, output, card=card, data=data)


def amend_card_data(model: Model, output: Path) -> Model:
    """Write a model file with its card for programs, read from the card where it lacks that; all else stays."""
    return save_changed(model, output, data=model.data)
