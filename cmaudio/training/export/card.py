"""The model card: data, licences, configuration, commit, metrics and limits of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cmaudio.files.reading import read_json
from cmaudio.training.config import STAGES, ConsistencyStage, PriorStage, RunConfig, SentenceStage
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


def make_card(folder: Path, config: RunConfig, corpus: CorpusDescription, weights: str) -> str:
    """Markdown."""
    about = read_about(folder)
    parts = [
        f"# {config.name}",
        config.description,
        _facts(folder, config, corpus, weights, about),
        "## Figures",
        _metrics(folder, config),
        "## Limits",
        _limits(config, corpus),
        *_recordings(corpus),
        "## Configuration",
        _configuration(config),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(folder: Path, config: RunConfig, corpus: CorpusDescription, weights: str, about: dict[str, Any]) -> str:
    train, held_out = corpus.splits["train"], corpus.splits["held_out"]
    hours = train.seconds / 3600
    done = [name for name in STAGES if weights_file(folder, name).is_file()]  # an aligner may be left out
    stages = [text for name in done if (text := _stage(config, name))]
    start = {name: "/".join(Path(path).parts[-2:]) for name, path in config.start_from.model_dump().items() if path}
    rows = {
        "consistency network": f"{_millions(make_consistency_network(config, corpus))} M parameters",
        **({"prior": f"{_millions(make_prior_network(config, corpus))} M parameters"} if config.has_prior else {}),
        "vocoder": _vocoder(config, corpus),
        **({"prosody": f"{_millions(make_prosody_network(config, corpus))} M parameters"} if corpus.symbols else {}),
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


def _vocoder(config: RunConfig, corpus: CorpusDescription) -> str:
    if config.vocoder_network.kind == "bands":
        return "noise filtered by the mel bands, nothing trained"
    return f"{_millions(make_vocoder_network(config, corpus.signal))} M parameters"


def _configuration(config: RunConfig) -> str:
    fields = config.model_dump(mode="json", exclude={"expected", "description"})
    return f"```yaml\n{yaml.safe_dump(fields, sort_keys=False)}```"


def _recordings(corpus: CorpusDescription) -> list[str]:
    """Who made the recordings, by author and licence."""
    timbres: dict[tuple[str, str], list[str]] = {}
    for credit in corpus.credits:
        timbres.setdefault((credit.author, credit.licence), []).append(credit.timbre)
    if not timbres:
        return []
    rows = [f"| {author} | {licence} | {', '.join(names)} |" for (author, licence), names in sorted(timbres.items())]
    return ["## Recordings", "\n".join(["| author | licence | timbres |", "|---|---|---|", *rows])]


def _millions(network: Any) -> str:
    return f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f}"


def _stage(config: RunConfig, name: str) -> str:
    stage = getattr(config, name)
    if stage is None:
        return ""
    if isinstance(stage, SentenceStage):
        return f"{name} {stage.steps} steps of {stage.clips} utterances"
    if isinstance(stage, PriorStage):
        return f"{name} {stage.steps} steps of {stage.frames} frames"
    how = f" ({stage.objective.objective})" if isinstance(stage, ConsistencyStage) else ""
    return f"{name.replace('_', ' ')}{how} {stage.steps} steps of {stage.crops.clips} x {stage.crops.frames} frames"


def _metrics(folder: Path, config: RunConfig) -> str:
    expected = f"Expected of this configuration: {config.expected}" if config.expected else ""
    path = folder / FIGURES
    if not path.is_file():
        return f"Not measured yet. {expected}"
    report = read_json(path, "evaluation", "run `cmaudio evaluate --json` again, or delete it")
    lines = ["| figure | value |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in _flat("", report.get("sections", report))]
    return "\n".join(lines) + (f"\n\n{expected}" if expected else "")


def _flat(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Numbers of nested metrics under dotted names; lists (such as worst cases) stay in the JSON."""
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _flat(f"{prefix}.{key}".lstrip("."), inner)]
    return [(prefix, f"{value:g}")] if isinstance(value, int | float) and not isinstance(value, bool) else []


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
