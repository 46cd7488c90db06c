"""A model in the format of the Hugging Face hub: a folder with the model file and a README.md with metadata.

The fields are those of the hub's documentation, https://huggingface.co/docs/hub/model-cards. Uploading the folder is
left to the hub's own tools.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import reason
from cmaudio.model.card_data import CardData
from cmaudio.model.file import SUFFIX, Model, load_model
from cmaudio.synthesis.texture_features import TEXTURE_KINDS

CARD = "README.md"
_LICENCES = (  # identifiers known to the hub, which are those of SPDX in lower case
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "unlicense", "gpl-2.0", "gpl-3.0", "lgpl-3.0"),
    *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
)
# The last part of the name of figures that sum up a section; all figures are in the model file.
_HEADLINES = ("wer", "distillmos", "dnsmos", "pesq", "frechet", "l1_db", "l1_active_db", "loudness_off_db", "median")
_MOST_METRICS = 60


def write_hub_folder(model: Model, folder: Path) -> Model:
    """Write the folder, or update an existing one.

    Args:
        model: its file is copied, unless it is already in the folder.
        folder: created if needed; other files in it are kept.

    Returns:
        The model as loaded from the folder.

    Raises:
        CmaudioError: the folder cannot be written, or it holds another model file.
    """
    target = folder / f"{_slug(model.manifest.name)}{SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in folder.glob(f"*{SUFFIX}") if path.name != target.name]
        if others:
            raise CmaudioError(f"{folder} holds another model, {others[0]}: give an empty folder, or remove it")
        if model.path.resolve() != target.resolve():
            with atomic_file(target) as part:
                shutil.copyfile(model.path, part)
        with atomic_file(folder / CARD) as part:
            part.write_text(hub_card(model, folder.name), encoding="utf-8")
    except OSError as error:
        raise CmaudioError(f"{folder} cannot be written ({reason(error)}); make room or give another folder") from error
    return load_model(folder)


def hub_card(model: Model, folder_name: str) -> str:
    """README.md: the metadata, the card, and how to play the model."""
    head = yaml.safe_dump(metadata(model), sort_keys=False, allow_unicode=True, width=100)
    command = 'say "..."' if model.manifest.speech else "play song.mid"
    use = f"## Use\n\n```sh\npip install cmaudio\ncmaudio {command} --model {folder_name}   # this folder\n```"
    return f"---\n{head}---\n\n{model.card.rstrip()}\n\n{use}\n"


def metadata(model: Model) -> dict[str, Any]:
    """The metadata at the head of the card."""
    manifest, data = model.manifest, model.data
    task = "text-to-speech" if manifest.speech else "text-to-audio"
    corpora = [_slug(corpus.name) for corpus in data.trained_on]
    language = {"language": [manifest.speech.language.partition("-")[0]]} if manifest.speech else {}
    metrics = _headlines(data)
    return {
        **_licence(manifest.licence),
        **language,
        "library_name": "cmaudio",
        "pipeline_tag": task,
        "tags": ["cmaudio", "audio", "onnx", "consistency-model", "real-time", _kind(model)],
        **({"datasets": corpora} if corpora else {}),
        **({"metrics": sorted({_metric(name) for name in metrics})} if metrics else {}),
        **({"model-index": [_index(manifest.name, task, corpora, data, metrics)]} if metrics else {}),
    }


def _kind(model: Model) -> str:
    if model.manifest.speech:
        return "speech"
    return "textures" if model.manifest.features in TEXTURE_KINDS else "music"


def _licence(text: str) -> dict[str, str]:
    """The hub's identifier; for any other licence its text, as the hub requires."""
    plain = re.sub(r"\([^()]*\)", "", text).strip().lower()
    if plain in _LICENCES:
        return {"license": plain}
    return {"license": "other", "license_name": text, "license_link": CARD}


def _headlines(data: CardData) -> dict[str, float]:
    chosen = {name: value for name, value in data.figures.items() if _metric(name) in _HEADLINES} or data.figures
    return dict(list(chosen.items())[:_MOST_METRICS])


def _metric(name: str) -> str:
    """The last part of a figure's name: `one step.wer` is a `wer`."""
    return _slug(name.rpartition(".")[2])


def _index(name: str, task: str, corpora: list[str], data: CardData, metrics: dict[str, float]) -> dict[str, Any]:
    corpus = corpora[0] if corpora else "not-stated"
    result = {
        "task": {"type": task},
        "dataset": {"type": corpus, "name": f"{corpus} (held out)", "split": "held_out"},
        "metrics": [{"type": _metric(figure), "name": figure, "value": value} for figure, value in metrics.items()],
    }
    return {"name": name, "results": [result]}


def _slug(text: str) -> str:
    """A name that the hub accepts: letters, digits, dots, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "model"
