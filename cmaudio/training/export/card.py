"""The model card: data, licences, configuration, commit, metrics and limits of a run; and metrics added later."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from torch import nn

from cmaudio.errors import CmaudioError, explain
from cmaudio.files.reading import read_json
from cmaudio.model.card_data import FIGURES_HEADING, CardData, TrainingData, figures_of, figures_table
from cmaudio.model.file import Model
from cmaudio.model.saving import save_changed
from cmaudio.training.config import STAGES, ConsistencyStage, PriorStage, RunConfig, SentenceStage, VocoderStage
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.run.build_networks import (
    make_consistency_network,
    make_prior_network,
    make_prosody_network,
    make_vocoder_network,
)
from cmaudio.training.run.folder import read_about
from cmaudio.training.run.weights import weights_file

FIGURES = "evaluation.json"  # output of `cmaudio evaluate --json`, saved in the run's folder
_SECTION = re.compile(rf"^{FIGURES_HEADING}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def make_card_data(folder: Path, config: RunConfig, corpus: CorpusDescription) -> CardData:
    """The content of the card for programs: data, sizes, and the metrics of the run's evaluation, if there is one."""
    train = corpus.splits["train"]
    networks: dict[str, nn.Module] = {"consistency network": make_consistency_network(config, corpus)}
    networks |= {"prior": make_prior_network(config, corpus)} if config.has_prior else {}
    networks |= (
        {"vocoder": make_vocoder_network(config, corpus.signal)} if config.vocoder_network.kind != "bands" else {}
    )
    networks |= {"prosody": make_prosody_network(config, corpus)} if corpus.symbols else {}
    data = CardData(
        trained_on=[
            TrainingData(
                name=corpus.name,
                source=corpus.source,
                licence=corpus.licence,
                clips=train.clips,
                hours=round(train.seconds / 3600, 4),
            )
        ],
        parameters={name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
    )
    path = folder / FIGURES
    return read_figures(path, data) if path.is_file() else data


def make_card(folder: Path, config: RunConfig, corpus: CorpusDescription, weights: str, data: CardData) -> str:
    """The card in Markdown."""
    about = read_about(folder)
    parts = [
        f"# {config.name}",
        config.description,
        _facts(folder, config, corpus, weights, about, data),
        FIGURES_HEADING,
        _metrics(config, data),
        "## Limits",
        _limits(config, corpus),
        *_recordings(corpus),
        "## Configuration",
        _configuration(config),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(
    folder: Path, config: RunConfig, corpus: CorpusDescription, weights: str, about: dict[str, Any], data: CardData
) -> str:
    train, held_out = corpus.splits["train"], corpus.splits["held_out"]
    hours = train.seconds / 3600
    done = [name for name in STAGES if weights_file(folder, name).is_file()]  # an aligner may be left out
    stages = [text for name in done if (text := stage_summary(config, name))]
    start = {name: "/".join(Path(path).parts[-2:]) for name, path in config.start_from.model_dump().items() if path}
    rows = {
        **{name: f"{count / 1e6:.2f} M parameters" for name, count in data.parameters.items()},
        **({} if "vocoder" in data.parameters else {"vocoder": "noise filtered by the mel bands, nothing trained"}),
        **({"language": corpus.language} if corpus.language else {}),
        "weights": weights,
        "signal": f"{corpus.signal.sample_rate} Hz, hop {corpus.signal.hop_length}, {corpus.signal.bands} mel bands",
        "licence of the weights": config.export.licence or corpus.licence,
        "trained on": f"{corpus.name}: {train.clips} clips, {hours:.2f} h, {len(corpus.timbres)} timbres",
        "source": f"{corpus.source} ({corpus.licence})",
        "held out": f"{held_out.clips} clips, {held_out.seconds / 60:.1f} min",
        "training": "; ".join(stages) or "none",
        "started from": ", ".join(f"{k}: {v}" for k, v in start.items()) or "nothing",
        "seed, commit": f"{config.seed}, {about.get('commit') or 'not a checkout'}",
        "made with": f"torch {about['torch']}, Python {about['python']}, began {about['began']}",
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {key} | {value} |" for key, value in rows.items())


def _configuration(config: RunConfig) -> str:
    fields = config.model_dump(mode="json", exclude={"expected", "description"})
    return f"```yaml\n{yaml.safe_dump(fields, sort_keys=False)}```"


def _recordings(corpus: CorpusDescription) -> list[str]:
    """The authors of the recordings, by author and licence."""
    timbres: dict[tuple[str, str], list[str]] = {}
    for credit in corpus.credits:
        timbres.setdefault((credit.author, credit.licence), []).append(credit.timbre)
    if not timbres:
        return []
    rows = [f"| {author} | {licence} | {', '.join(names)} |" for (author, licence), names in sorted(timbres.items())]
    return ["## Recordings", "\n".join(["| author | licence | timbres |", "|---|---|---|", *rows])]


def stage_summary(config: RunConfig, name: str) -> str:
    """A stage in a few words; empty for one that the configuration lacks."""
    stage = getattr(config, name)
    if stage is None:
        return ""
    if isinstance(stage, SentenceStage):
        return f"{name} {stage.steps} steps of {stage.clips} utterances"
    if isinstance(stage, PriorStage):
        return f"{name} {stage.steps} steps of {stage.frames} frames"
    how = f" ({stage.objective.objective})" if isinstance(stage, ConsistencyStage) else ""
    if isinstance(stage, VocoderStage) and stage.distil is not None:
        how = f" (distilled from that of {stage.distil.weights.name})"
    return f"{name.replace('_', ' ')}{how} {stage.steps} steps of {stage.crops.clips} x {stage.crops.frames} frames"


def _metrics(config: RunConfig, data: CardData) -> str:
    expected = f"Expected of this configuration: {config.expected}" if config.expected else ""
    if not data.figures:
        return f"Not measured yet. {expected}"
    return figures_table(data.figures) + (f"\n\n{expected}" if expected else "")


def _limits(config: RunConfig, corpus: CorpusDescription) -> str:
    unpitched = [timbre.name for timbre in corpus.timbres if not timbre.pitched]
    held = [timbre.name for timbre in corpus.timbres if not timbre.sustained]
    lines = list(config.export.limits)
    if unpitched:
        lines.append(f"{len(unpitched)} timbres are unpitched: all keys sound alike.")
    if held:
        lines.append(f"{len(held)} timbres decay while the key is held, as in their training data.")
    lines.append("Mono. Far from the training data (pitches, velocities, durations, mixes) it is untested.")
    return "\n".join(f"* {line}" for line in lines)


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
