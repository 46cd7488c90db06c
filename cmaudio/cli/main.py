"""The command line: play, render, say, recite, devices, models, bench, evaluate; prepare, train, export."""

from __future__ import annotations

import json
import re
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cmaudio.cli.live import live, midi
from cmaudio.cli.meter import show_while_playing
from cmaudio.cli.osc import osc
from cmaudio.cli.panel import panel
from cmaudio.cli.prepare import app as prepare_app
from cmaudio.cli.say import recite, say
from cmaudio.cli.terminal import any_output, console, device_of, errors, notice
from cmaudio.cli.train import export, train
from cmaudio.errors import CmaudioError
from cmaudio.instrument.preset import load_preset, preset_files
from cmaudio.model.file import DEFAULT_MODEL, Model, embedded_models, load_model
from cmaudio.offline.render import TAIL_SECONDS, render
from cmaudio.output.devices import list_devices
from cmaudio.output.player import LEAD_MS
from cmaudio.score.events import Score
from cmaudio.score.midi_file import read_midi
from cmaudio.score.pieces import builtin_piece
from cmaudio.synth import open

app = typer.Typer(help="Real-time neural audio: play, render and measure.", no_args_is_help=True, add_completion=False)
models_app = typer.Typer(help="Model files: list and inspect.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(prepare_app, name="prepare")
app.command()(live)
app.command()(midi)
app.command()(osc)
app.command()(panel)
app.command()(say)
app.command()(recite)
app.command()(train)
app.command()(export)


class Missing(StrEnum):
    """What to do with sounds the model lacks."""

    nearest = "nearest"
    omit = "omit"


Song = Annotated[Path | None, typer.Argument(help="A MIDI file; a short built-in piece when none is given.")]
ModelName = Annotated[str, typer.Option("--model", help="Embedded model's name, or a model file.")]
PresetName = Annotated[str | None, typer.Option("--preset", help="Plays everything (`cmaudio presets`), or a file.")]
TimbreName = Annotated[str | None, typer.Option("--timbre", help="Plays everything, whatever the programs say.")]
Seed = Annotated[int | None, typer.Option(help="Same seed, same samples.", show_default="0")]
Steps = Annotated[int | None, typer.Option(help="Network evaluations a block: 1, or 2 for fine.", show_default="1")]
Gain = Annotated[float | None, typer.Option(help="Master gain in dB, before the limiter.", show_default="0")]
Polyphony = Annotated[int, typer.Option(help="Most voices at once.")]
MissingOption = Annotated[Missing, typer.Option(help="Programs that the model lacks.")]
PercussionOption = Annotated[Missing, typer.Option(help="Drums that the model lacks.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _read(song: Path | None) -> Score:
    return read_midi(song) if song else builtin_piece()


@app.command()
def play(
    song: Song = None,
    model: ModelName = DEFAULT_MODEL,
    device: Annotated[str | None, typer.Option(help="Output: name, part of it, or index (`cmaudio devices`).")] = None,
    lead: Annotated[float, typer.Option(help="How far synthesis runs ahead of the sound card, in ms.")] = LEAD_MS,
    timbre: TimbreName = None,
    seed: Seed = None,
    steps: Steps = None,
    gain: Gain = None,
    polyphony: Polyphony = 16,
    missing: MissingOption = Missing.nearest,
    percussion: PercussionOption = Missing.omit,
    preset: PresetName = None,
    record: Annotated[Path | None, typer.Option(help="Also record it: .wav or .flac, and a .mid beside it.")] = None,
) -> None:
    """Play a MIDI file through the sound card, with a live meter. Without a sound card it renders to a file."""
    chosen: Any = {"timbre": timbre, "seed": seed, "steps": steps, "gain_db": gain}
    model, chosen = _chosen(preset, model, chosen)
    score, loaded = _read(song), load_model(model)
    try:
        synth = open(
            loaded,
            device=device_of(device),
            lead_ms=lead,
            polyphony=polyphony,
            on_notice=notice,
            **{name: chosen[name] for name in ("seed", "steps", "gain_db")},
        )
    except CmaudioError as error:
        if device is not None or any_output():
            raise
        path = Path(re.sub(r"[^a-z0-9]+", "-", score.name.lower()).strip("-") or "cmaudio").with_suffix(".wav")
        notice(f"{error} Rendering to {path} instead.")
        more = {"polyphony": polyphony, "missing": missing.value, "percussion": percussion.value}
        _render(score, path, loaded, chosen | more)
        return
    with synth:
        if record:
            synth.record(record)
        synth.controls.apply(chosen["controls"] | {"steps": chosen["steps"]})
        for text in synth.play(score, timbre=chosen["timbre"], missing=missing.value, percussion=percussion.value):
            notice(text)
        console.print(f"[bold]{score.name}[/] on {synth.state().player.device_name}", highlight=False)
        show_while_playing(synth, score.duration, console)


@app.command("render")
def render_command(
    song: Song = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to: .wav or .flac.")] = Path("out.wav"),
    model: ModelName = DEFAULT_MODEL,
    timbre: TimbreName = None,
    seed: Seed = None,
    steps: Steps = None,
    tail: Annotated[float, typer.Option(help="Most seconds to wait for the last notes to die away.")] = TAIL_SECONDS,
    gain: Gain = None,
    polyphony: Polyphony = 16,
    missing: MissingOption = Missing.nearest,
    percussion: PercussionOption = Missing.omit,
    preset: PresetName = None,
) -> None:
    """Render a MIDI file to a sound file, faster than real time."""
    chosen: Any = {"timbre": timbre, "seed": seed, "steps": steps, "gain_db": gain}
    model, chosen = _chosen(preset, model, chosen)
    more = {"tail": tail, "polyphony": polyphony, "missing": missing.value, "percussion": percussion.value}
    _render(_read(song), output, load_model(model), chosen | more)


def _chosen(preset: str | None, model: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Model and settings: what is given, else the preset's, else as by default."""
    settings: dict[str, Any] = {"timbre": None, "seed": 0, "steps": 1, "gain_db": 0.0, "controls": {}}
    if preset is not None:
        found = load_preset(preset)
        model = found.model
        settings |= {"timbre": found.timbre, "seed": found.seed or 0, "steps": found.steps}
        settings |= {"gain_db": found.gain_db, "controls": found.controls}
    return model, settings | {name: value for name, value in given.items() if value is not None}


def _render(score: Score, path: Path, model: Model, arguments: dict[str, Any]) -> None:
    began = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} s"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(score.name, total=score.duration)
        audio = render(
            score,
            path,
            model=model,
            on_progress=lambda seconds: progress.update(task, completed=seconds),
            on_notice=notice,
            **arguments,
        )
    seconds, spent = len(audio) / model.manifest.sample_rate, time.perf_counter() - began
    console.print(f"{path}: {seconds:.1f} s in {spent:.1f} s ({seconds / spent:.1f} x real time)", highlight=False)


@app.command()
def devices(as_json: Json = False) -> None:
    """List the sound card outputs."""
    found = list_devices()
    if as_json:
        rows = [{name: getattr(device, name) for name in device.__dataclass_fields__} for device in found]
        print(json.dumps(rows, indent=1))
        return
    table = Table("index", "name", "host API", "channels", "sample rate", "")
    for device in found:
        channels, rate = str(device.max_output_channels), f"{device.default_sample_rate:.0f} Hz"
        default = "default" if device.is_default else ""
        table.add_row(str(device.index), device.name, device.host_api, channels, rate, default)
    console.print(table if found else "no sound card output; `cmaudio render` works without one")


@app.command()
def presets(as_json: Json = False) -> None:
    """List the presets: those that come with cmaudio and the user's own."""
    rows = []
    for file, path in preset_files().items():
        try:
            rows.append(load_preset(path).model_dump() | {"file": str(path)})
        except CmaudioError as error:
            notice(str(error))
            rows.append({"name": file, "description": "cannot be read", "timbre": {}, "file": str(path)})
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    table = Table("name", "what it is", "timbres")
    for row in rows:
        timbres = ", ".join(row["timbre"]) if isinstance(row["timbre"], dict) else "a point of its own"
        table.add_row(row["name"], row["description"], timbres)
    console.print(table)


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """List the embedded models."""
    rows = []
    for name, path in embedded_models().items():
        manifest = load_model(path).manifest
        rows.append(
            {
                "name": name,
                "description": manifest.description,
                "timbres": len(manifest.timbres),
                "sample_rate": manifest.sample_rate,
                "megabytes": round(path.stat().st_size / 1e6, 1),
                "licence": manifest.licence,
            }
        )
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table("name", "description", "timbres", "sample rate", "MB", "licence")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


@models_app.command("inspect")
def models_inspect(
    name: Annotated[str, typer.Argument(help="Embedded model's name, or a model file.")] = DEFAULT_MODEL,
    as_json: Json = False,
) -> None:
    """Show a model's card, controls and timbres."""
    model = load_model(name)
    if as_json:
        print(json.dumps(model.manifest.model_dump(mode="json") | {"card": model.card}, indent=1))
        return
    from rich.markdown import Markdown

    console.print(Markdown(model.card))
    controls = Table("control", "unit", "from", "to", "default", "meaning", title="Controls")
    for c in model.manifest.controls:
        controls.add_row(c.name, c.unit, f"{c.min:g}", f"{c.max:g}", f"{c.default:g}", c.description)
    console.print(controls)
    timbres = Table("program", "timbre", "holds", title="Timbres")
    for timbre in model.manifest.timbres:
        program = "" if timbre.program is None else str(timbre.program + 1)
        timbres.add_row(program, timbre.name, "yes" if timbre.sustained else "")
    console.print(timbres)


Only = Annotated[list[str] | None, typer.Option(help="Only these sections; may be given again.")]


@app.command()
def bench(
    model: ModelName = DEFAULT_MODEL,
    live_seconds: Annotated[float, typer.Option(help="Length of the live run.")] = 60.0,
    only: Only = None,
    as_json: Json = False,
) -> None:
    """Measure latency, load, start-up and a live run on this machine."""
    from cmaudio.bench import print_report, run_bench

    result = run_bench(model=model, live_seconds=live_seconds, only=only, on_progress=lambda t: errors.print(t))
    _report(result, as_json, print_report)


@app.command()
def evaluate(
    model: ModelName = DEFAULT_MODEL,
    soundfont: Annotated[Path | None, typer.Option(help="SoundFont to compare with.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="Prepared corpus: measure on its held-out clips too.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Model file of the teacher, to stand beside.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most clips of the corpus.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Paint the corpus's clips to this .png.")] = None,
    only: Only = None,
    quick: Annotated[bool, typer.Option(help="A minute instead of many.")] = False,
    as_json: Json = False,
) -> None:
    """Measure what a model sounds like: pitch, onsets, velocity, drift, distance to held-out notes."""
    from cmaudio.evaluation import print_report, run_evaluation

    result = run_evaluation(
        model,
        soundfont=soundfont,
        corpus=corpus,
        teacher=teacher,
        limit=limit,
        picture=picture,
        only=only,
        quick=quick,
        on_progress=lambda t: errors.print(t),
    )
    _report(result, as_json, print_report)


def _report(result: dict[str, Any], as_json: bool, print_report: Any) -> None:
    if as_json:
        print(json.dumps(result, indent=1))
    else:
        print_report(result, console)


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and status 1, never a traceback."""
    try:
        app()
    except CmaudioError as error:
        errors.print(f"[bold red]error:[/] {error}", highlight=False, markup=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
