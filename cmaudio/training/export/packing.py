"""From a finished run to a model file with its card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.place import as_place
from cmaudio.model.card_data import CardData
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import ControlDefinition, Manifest, MelDefinition, SpeechDefinition, TimbreDefinition
from cmaudio.model.saving import save_model
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.speech.style import STYLE_LIMITS
from cmaudio.training.config import RunConfig, read_config
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.corpus.description import CorpusDescription, SignalDefinition, read_description
from cmaudio.training.export.card import make_card, make_card_data
from cmaudio.training.export.eight_bit import in_8_bit, round_to_half_precision
from cmaudio.training.export.graphs import export_graphs, export_prior, export_prosody
from cmaudio.training.export.measured import read_measured, with_measured
from cmaudio.training.export.timbre_map import amend_places, can_be_mapped
from cmaudio.training.networks.band_vocoder import BandVocoder
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.networks.prior import PriorNetwork
from cmaudio.training.networks.prosody import ProsodyNetwork
from cmaudio.training.networks.vocoder import VocoderNetwork
from cmaudio.training.run.build_networks import (
    features_of,
    make_consistency_network,
    make_prior_network,
    make_prosody_network,
    make_vocoder_network,
)
from cmaudio.training.run.folder import read_about
from cmaudio.training.run.weights import finished, read_statistics, stages_of, start_from, weights_file


def pack_run(
    folder: Path,
    output: Path,
    *,
    network: str = "student",
    weights: str | None = None,
    partials: Path | None = None,
    deviation: Path | None = None,
) -> Model:
    """Write the model file of a run.

    Args:
        folder: of the run.
        output: the model file.
        network: "student", or "teacher" for a model that needs many evaluations, for comparison.
        weights: "float32" or "int8"; None for the configuration's.
        partials: a corpus (folder) or model file with the partials of the timbres; None for the run's corpus.
        deviation: the same for the deviation of their pitch.

    Raises:
        CmaudioError: a stage is not finished.
    """
    config = read_config(folder / "config.yaml")
    about = read_about(folder)
    description = read_description(as_place(about["corpus"]))
    trained = _finished(folder, config, network)
    timbres = [timbre.name for timbre in description.timbres]
    consistency = make_consistency_network(config, description)
    start_from(trained, consistency, timbres)
    vocoder = _vocoder(folder, config, description.signal, read_statistics(trained))
    kind = weights or config.export.weights
    prosody = None
    if description.symbols:
        prosody = make_prosody_network(config, description)
        start_from(_finished(folder, config, "prosody"), prosody, timbres)
    prior = None
    if config.has_prior:
        prior = make_prior_network(config, description)
        start_from(_finished(folder, config, "prior"), prior, timbres)
    manifest = describe(config, description, consistency, read_statistics(trained), kind)
    manifest = manifest.model_copy(update={"picture": about["picture"]})
    if partials is not None:
        manifest = with_measured(manifest, "partials", read_measured(partials, "partials"))
    if deviation is not None:
        manifest = with_measured(manifest, "deviation", read_measured(deviation, "deviation"))
    data = make_card_data(folder, config, description)
    card = make_card(folder, config, description, kind, data)
    model = write_model(
        output, manifest, consistency.eval(), vocoder.eval(), card, prosody, prior, config.export.life, data
    )
    return amend_places(model, output) if can_be_mapped(model) else model


def _vocoder(
    folder: Path, config: RunConfig, signal: SignalDefinition, statistics: MelStatistics
) -> VocoderNetwork | BandVocoder:
    if config.vocoder_network.kind == "bands":
        return BandVocoder(signal.signal().mel, statistics.mean, statistics.std)
    vocoder = make_vocoder_network(config, signal)
    start_from(_finished(folder, config, "vocoder"), vocoder, [])
    return vocoder


def _finished(folder: Path, config: RunConfig, part: str) -> Path:
    """Weights of a part of the model: never those of an earlier stage while a later one is unfinished."""
    configured = [stage for stage in stages_of(part) if getattr(config, stage) is not None]
    to_come = [stage for stage in configured if not weights_file(folder, stage).is_file()]
    path = finished(folder, part) or getattr(config.start_from, part, None)
    if to_come or path is None:
        missing = to_come[-1] if to_come else part
        raise CmaudioError(f"{folder} has no finished {missing}; re-run `cmaudio train` to resume")
    return Path(path)


def write_model(
    output: Path,
    manifest: Manifest,
    network: ConsistencyNetwork,
    vocoder: VocoderNetwork | BandVocoder,
    card: str,
    prosody: ProsodyNetwork | None = None,
    prior: PriorNetwork | None = None,
    life: float = 1.0,
    data: CardData | None = None,
) -> Model:
    """Export, quantise if the manifest asks for 8 bit (calibrated by playing the float model), write, and load again.

    Prosody stays in float, since it is small and runs once per phrase, and so does a prior, whose rounding errors would
    be audible in the level. Other weights that stay in float are rounded to half precision.
    """
    if manifest.weights == "int8":
        for each in (network, vocoder, *([prior] if prior else [])):
            round_to_half_precision(each)
    graphs = export_graphs(network, vocoder)
    extra = {"prosody": export_prosody(prosody.eval())} if prosody else {}
    extra |= {"prior": export_prior(prior.eval(), network.head.block_frames, life)} if prior else {}
    if manifest.weights == "int8":
        narrow = [name for name in graphs if name != "vocoder" or isinstance(vocoder, VocoderNetwork)]
        graphs |= in_8_bit(manifest, graphs | extra, narrow)
    save_model(output, manifest, graphs | extra, card, data=data)
    return load_model(output)


def describe(
    config: RunConfig,
    corpus: CorpusDescription,
    network: ConsistencyNetwork,
    statistics: MelStatistics,
    weights: str,
) -> Manifest:
    """The manifest of a model trained on a corpus."""
    timbres = [t for t in timbre_definitions(corpus, network) if t.name not in config.export.leave_out]
    if unknown := set(config.export.leave_out) - {timbre.name for timbre in corpus.timbres}:
        raise CmaudioError(f"export.leave_out has {', '.join(sorted(unknown))}, which the corpus lacks: correct it")
    default = config.export.default_timbre or timbres[0].name
    if default not in {timbre.name for timbre in timbres}:
        raise CmaudioError(
            f"export.default_timbre {default!r} is not among the corpus's timbres: "
            + ", ".join(timbre.name for timbre in timbres)
        )
    return Manifest(
        format_version=1,
        name=config.name,
        description=config.description,
        licence=config.export.licence or corpus.licence,
        sample_rate=corpus.signal.sample_rate,
        hop_length=corpus.signal.hop_length,
        n_fft=corpus.signal.n_fft,
        block_frames=config.network.block_frames,
        mel=mel_definition(corpus.signal, statistics),
        sigma=config.sigma,
        features=features_of(config, corpus),
        controls=_controls_of(corpus),
        timbre_dims=config.network.timbre_dims,
        timbres=timbres,
        default_timbre=default,
        weights=weights,
        sha256={},
        picture=corpus.picture,
        prior=config.has_prior,
        speech=SpeechDefinition(language=corpus.language, symbols=corpus.symbols) if corpus.language else None,
    )


def timbre_definitions(corpus: CorpusDescription, network: ConsistencyNetwork) -> list[TimbreDefinition]:
    """The corpus's timbres with the network's learned vectors."""
    vectors = network.timbres.weight.detach().double().tolist()
    return [
        TimbreDefinition(
            name=timbre.name,
            vector=[round(x, 6) for x in vector],
            program=timbre.program,
            key=timbre.key,
            sustained=timbre.sustained,
            pitched=timbre.pitched,
            partials=timbre.partials,
            deviation=timbre.deviation,
            takes=_takes(corpus, timbre.name),
        )
        for timbre, vector in zip(corpus.timbres, vectors, strict=True)
    ]


def _takes(corpus: CorpusDescription, timbre: str) -> list[list[float]]:
    """The points of a texture's recordings."""
    return [] if corpus.textures is None else list(corpus.textures.takes.get(timbre, {}).values())


def _controls_of(corpus: CorpusDescription) -> list[ControlDefinition]:
    if corpus.symbols:
        return speech_controls()
    return note_controls() if corpus.textures is None else texture_controls()


def mel_definition(signal: SignalDefinition, statistics: MelStatistics) -> MelDefinition:
    return MelDefinition(
        bands=signal.bands,
        f_min_hz=signal.f_min_hz,
        f_max_hz=signal.f_max_hz,
        floor=signal.floor,
        mean=statistics.mean.tolist(),
        std=statistics.std.tolist(),
    )


def note_controls() -> list[ControlDefinition]:
    """The controls of a model for notes."""
    rows = [
        (
            "pitch",
            "MIDI note number",
            24,
            108,
            60,
            "which note is struck; unpitched timbres have one sound on all keys",
        ),
        ("velocity", "MIDI velocity", 1, 127, 96, "how hard it is struck"),
        ("bend", "semitones", -24, 24, 0, "added to the pitch while it sounds"),
        ("gate", "on/off", 0, 1, 0, "1 from note-on to release"),
        (
            "timbre",
            "point of the timbre space",
            -10,
            10,
            0,
            "the named timbres are points of it; mixes lie between them",
        ),
    ]
    return _controls(rows)


def texture_controls() -> list[ControlDefinition]:
    """The controls of a model for textures: those of a note, and the measures of the recordings."""
    learned = [(e.name, e.unit, e.min, e.max, e.rest, e.description) for e in EXPRESSIONS.values() if e.learned]
    return [*note_controls(), *_controls(learned)]


def speech_controls() -> list[ControlDefinition]:
    """The controls of a text-to-speech model; all but the text act while it speaks."""
    speaker = "the speakers are points of it; mixes lie between them"
    defaults = {
        "rate": (1, "how fast it speaks"),
        "pitch": (0, "moves the melody of the voice"),
        "pitch_range": (1, "widens the melody; 0 is one tone"),
        "energy": (0, "effort of the voice"),
    }
    return _controls(
        [
            *((name, unit, low, high, *defaults[name]) for name, (low, high, unit) in STYLE_LIMITS.items()),
            ("timbre", "point of the timbre space", -10, 10, 0, speaker),
        ]
    )


def _controls(rows: Iterable[tuple[str, str, float, float, float, str]]) -> list[ControlDefinition]:
    return [
        ControlDefinition(name=n, unit=u, min=low, max=high, default=d, description=text)
        for n, u, low, high, d, text in rows
    ]
