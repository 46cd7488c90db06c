"""The report as tables for a terminal: one per section, with targets beside the metrics that have one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.music import print_music
from cmaudio.evaluation.textures import TEXTURE_SECTIONS
from cmaudio.evaluation.textures.tables import print_textures
from cmaudio.evaluation.voice.tables import print_voice

_NOTHING = "not measured"


def print_report(result: Figures, console: Console) -> None:
    """Print what `run_evaluation` returned."""
    model, machine = result["model"], result["machine"]
    described = f" ({model['weights']}, SHA-256 {model['sha256'][:12]}), {result['date']}"
    console.print(Text.assemble((model["name"], "bold"), described))
    console.print(f"{machine['cpu']}, {machine['cores']} cores, {machine['os']}, Python {machine['python']}")
    if result["quick"]:
        console.print(Text("quick: a few timbres and notes, or sentences, only", "yellow"))
    if "soundfont" not in result:
        of_textures = TEXTURE_SECTIONS.keys() >= result["sections"].keys()
        (print_textures if of_textures else print_voice)(result["sections"], console)
        return
    reference = result["soundfont"]
    console.print(f"SoundFont: {reference.get('name') or 'not measured: ' + reference['not_measured']}")
    for name, figures in result["sections"].items():
        console.print()
        if "not_measured" in figures:
            console.print(Text.assemble((name, "bold"), f": not measured: {figures['not_measured']}"))
        else:
            _PRINTERS[name](figures, console)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    return table


def _text(value: Any) -> str | Text:
    if isinstance(value, Text):
        return value
    if value is None:
        return _NOTHING
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _target(value: float | None, target: float) -> Text:
    if value is None:
        return Text(f"≤ {target:g}")
    return Text.assemble(f"≤ {target:g} ", ("met", "green") if value <= target else ("missed", "red"))


def _list(console: Console, title: str, entries: Sequence[str]) -> None:
    if entries:
        console.print(f"{title}: {'; '.join(entries)}", highlight=False)


def _pitch(f: Figures, console: Console) -> None:
    ours, theirs, targets = f["ours"], f["soundfont"], f["targets"]
    rows = [
        ("median", ours["median"], theirs["median"], _target(ours["median"], targets["median"])),
        ("95th percentile", ours["p95"], theirs["p95"], _target(ours["p95"], targets["p95"])),
        ("worst", ours["max"], theirs["max"], ""),
        ("worst timbre's median", ours["timbre_medians"]["max"], theirs["timbre_medians"]["max"], ""),
        ("notes", ours["n"], theirs["n"], ""),
    ]
    console.print(_table("Pitch: deviation in cents", ("", "ours", "SoundFont", "target"), rows))
    _list(console, "Furthest off", [f"{n['timbre']} {n['pitch']}: {n['cents']:.1f}" for n in ours["worst"]])


def _partials(f: Figures, console: Console) -> None:
    rows = [
        (name, t["kind"], t["median"], t["max"], t["false_partials"], t["level_db"]) for name, t in f["timbres"].items()
    ]
    every = f["all"]
    rows.append(("all", "", every["median"], every["max"], f["false_partials"], ""))
    columns = ("", "kind", "median", "worst", "false", "level, dB")
    console.print(_table("Strongest partials: deviation from the SoundFont in cents (at most 300)", columns, rows))
    console.print(Text.assemble("median ", _target(every["median"], f["target"])))


def _modulation(f: Figures, console: Console) -> None:
    rows = [
        (name, k["median"], k["min"], k["max"], f"{k['within_target']} of {k['n']}")
        for name, k in (("all", f["all"]), ("ensembles", f["ensembles"]), *f["families"].items())
    ]
    low, high = f["target_kept"]
    columns = ("", "median", "least", "most", f"{low:g} to {high:g}")
    console.print(_table("Frequency modulation of held notes: share of the SoundFont's", columns, rows))
    rows = [
        (name, t["fm_cents"], t["soundfont_fm_cents"], t["am_db"], t["soundfont_am_db"])
        for name, t in f["timbres"].items()
        if t["ensemble"]
    ]
    console.print(_table("Ensembles", ("", "FM, cents", "SoundFont", "AM, dB", "SoundFont"), rows))


def _onset(f: Figures, console: Console) -> None:
    notes, compared = f["notes"], f["later_than_soundfont_ms"]["n"]
    rows = [
        ("loudest sample before the requested time, dB", f["before_db_max"], _target(f["before_db_max"], -200)),
        ("moved by N samples, output moves by N", f"{f['moved_exactly']} of {notes}", f"{notes}"),
        (f"onset ({f['threshold_db']:g} dB), median ms", f["ours_ms"]["median"], ""),
        ("the SoundFont's onset, median ms", f["soundfont_ms"]["median"], ""),
        ("later than the SoundFont, median ms", f["later_than_soundfont_ms"]["median"], ""),
        ("apart from the SoundFont, median ms", f["apart_from_soundfont_ms"]["median"], ""),
        ("apart from the SoundFont, 95th percentile ms", f["apart_from_soundfont_ms"]["p95"], ""),
        ("within 1 ms of the SoundFont", f"{f['within_target_of_soundfont']} of {compared}", ""),
    ]
    console.print(_table("Onset", ("", "ours", "target"), rows))
    _list(console, "Furthest", [f"{n['timbre']} {n['pitch']}: {n['later_ms']:+.1f} ms" for n in f["furthest"]])


def _velocity(f: Figures, console: Console) -> None:
    ours, theirs = f["ours"], f["soundfont"]
    monotonic = [f"{s['monotonic']} of {s['curves']}" if s["curves"] else None for s in (ours, theirs)]
    rows = [
        (f"never falls by more than {f['allowed_db']} dB", *monotonic, f"{ours['curves']}"),
        ("lowest to highest velocity, median dB", ours["range_db"]["median"], theirs["range_db"]["median"], ""),
        ("level apart from the SoundFont, median dB", f["level_difference_db"]["median"], "", ""),
    ]
    console.print(_table("Level against velocity", ("", "ours", "SoundFont", "target"), rows))
    for title, part in (("Exceptions", ours), ("The SoundFont's", theirs)):
        entries = [f"{e['timbre']} {e['pitch']} ({e['fall_db']:.1f} dB)" for e in part["exceptions"]]
        _list(console, title, entries)


def _evenness(f: Figures, console: Console) -> None:
    ours, octave, theirs = f["seed_level_std_db"], f["octave_range_db"], f["soundfont_octave_range_db"]
    rows: list[Sequence[Any]] = [
        ("all, median", ours["median"], octave["median"], theirs["median"]),
        ("all, 95th percentile", ours["p95"], octave["p95"], theirs["p95"]),
        ("all, worst", ours["max"], octave["max"], theirs["max"]),
    ]
    for name, figures in ours["families"].items():
        medians = [part["families"].get(name, {}).get("median") for part in (octave, theirs)]
        rows.append((f"{name}, median", figures["median"], *medians))
    title = f"Level: deviation over {f['seeds']} seeds of a key, range of a chromatic octave, dB"
    console.print(_table(title, ("", "seeds", "octave", "SoundFont's octave"), rows))
    _list(console, "Least even", [f"{w['timbre']} {w['db']:.1f} dB" for w in ours["worst"]])


def _drift(f: Figures, console: Console) -> None:
    names = {
        "level_max_db": "level, largest dB",
        "level_end_db": "level at the end, dB",
        "spectrum_max_db": "spectrum, largest dB",
        "spectrum_end_db": "spectrum at the end, dB",
    }
    rows = [
        (label, *(f[whose][key][figure] for whose in ("ours", "soundfont") for figure in ("median", "p95", "max")))
        for key, label in names.items()
    ]
    apart = f["apart_db"]
    rows.append(("level, apart from the SoundFont's, dB", apart["median"], apart["p95"], apart["max"], "", "", ""))
    columns = ("", "median", "p95", "worst", "SoundFont", "p95", "worst")
    count = f["ours"]["level_max_db"]["n"]
    title = f"Drift of a note held for {f['seconds']} s, against its own third second ({count} timbres)"
    console.print(_table(title, columns, rows))
    entries = [f"{w['timbre']} {w['level_max_db']:.0f}/{w['spectrum_max_db']:.0f} dB" for w in f["ours"]["worst"]]
    _list(console, "Largest (level/spectrum)", entries)


_NOTE_METRICS = {
    "l1_all_db": "L1, all bands, dB",
    "l1_active_db": "L1, active bands, dB",
    "l1_first_db": "L1, first 1.1 s, dB",
    "l1_last_db": "L1, last 1.1 s, dB",
    "frechet": "Fréchet",
    "score_db": "energy score, dB",
    "score_of_changes_db": "energy score of changes, dB",
    "level_off_db": "level of a note off, median, dB",
    "level_off_p90_db": "level of a note off, 90th percentile, dB",
    "loudness_off_db": "loudness of a note off, median, dB",
    "loudness_off_p90_db": "loudness of a note off, 90th percentile, dB",
    "seeds_loudness_db": "loudness, two seeds apart, dB",
    "seed_spread_all_db": "two seeds apart, all bands, dB",
    "seed_spread_active_db": "two seeds apart, active bands, dB",
    "change_db": "change of level inside a block, dB",
    "change_at_seams_db": "change of level between blocks, dB",
    "correlation_16_bands": "correlation of bands 16 apart",
}


def _of_notes(title: str, kinds: dict[str, str]) -> Callable[[Figures, Console], None]:
    """Prints the metrics of held-out notes, a column for each kind: its key in the figures, and its label."""

    def show(f: Figures, console: Console) -> None:
        shown = {kind: label for kind, label in kinds.items() if kind in f}
        metrics = {key: label for key, label in _NOTE_METRICS.items() if any(key in f[kind] for kind in shown)}
        rows = [(label, *(f[kind].get(key) for kind in shown)) for key, label in metrics.items()]
        console.print(_table(f"{f['notes']} held-out notes, {title}", ("", *shown.values()), rows))

    return show


def _buzz(f: Figures, console: Console) -> None:
    rows = [(key, f["ours_db"][key], f["soundfont_db"][key]) for key in ("median", "p95", "max")]
    title = f"Modulation at {f['frame_rate_hz']:g} Hz over its neighbourhood, dB"
    console.print(_table(title, ("", "ours", "SoundFont"), rows))
    _list(console, "Most", [f"{n['timbre']} {n['pitch']}: {n['db']:.1f}" for n in f["worst"]])


def _breath(f: Figures, console: Console) -> None:
    rows = [(f"{hz} Hz", o["median"], o["min"], o["max"]) for hz, o in f["more_than_soundfont_db"].items()]
    console.print(_table("Noise between partials, dB more than the SoundFont", ("", "median", "least", "most"), rows))
    _list(console, "Furthest", [f"{n['timbre']}: {n['db']:.1f}" for n in f["worst"]])


def _clicks(f: Figures, console: Console) -> None:
    rows = [
        (name, e["median"], e["p95"], e["max"], e["suspicious"], e["worst"][0]["timbre"] if e["worst"] else "")
        for name, e in f["events"].items()
    ]
    columns = ("event", "median", "p95", "worst", f"over {f['suspicious_db']:g} dB", "worst timbre")
    console.print(_table("Clicks: steepest step at the event over the sound around it, dB", columns, rows))


def _corpus(f: Figures, console: Console) -> None:
    names = {
        "evaluations": "evaluations",
        "block_ms": "ms, one voice",
        "l1_all_db": "all bands",
        "l1_active_db": "active bands",
        "l1_attack_db": "attack",
        "l1_first_third_db": "first third",
        "l1_last_third_db": "last third",
        "frechet": "Fréchet",
        "seed_spread_all_db": "two seeds",
        "seed_spread_active_db": "  active bands",
    }
    rows = [(label, *(row[key] for row in f["samplers"].values())) for key, label in names.items()]
    title = f"{f['clips']} held-out clips of {f['folder']}, free-running: a block's cost, L1 in dB"
    console.print(_table(title, ("", *f["samplers"]), rows))
    console.print(f"Fréchet of one half of the recordings to the other: {_text(f['frechet_of_two_halves'])}")
    copied = f["vocoder"]
    pesq = f", PESQ {_text(copied['pesq'])}" if "pesq" in copied else ""
    console.print(f"Copy-synthesis of {copied['clips']} clips: mel L1 {copied['mel_l1']}{pesq}", highlight=False)
    _sound(f["sound"], console)
    _list(console, "Timbres that the model lacks", f["timbres_lacking"])
    held = f["held_notes"]
    if "not_measured" in held:
        console.print(f"Held notes: not measured: {held['not_measured']}")
        return
    names = {
        "level_max_db": "level, largest dB",
        "spectrum_max_db": "spectrum, largest dB",
        "spectrum_end_db": "at the end",
    }
    drifts = [(label, held[key]["median"], held[key]["p95"], held[key]["max"]) for key, label in names.items()]
    title = f"Held for {held['seconds']} s against the third second, {held['timbres']} timbres, network alone"
    console.print(_table(title, ("", "median", "p95", "worst"), drifts))
    _list(console, "Most", [f"{w['timbre']} {w['spectrum_max_db']:.0f} dB" for w in held["worst"]])


def _sound(rows: Figures, console: Console) -> None:
    columns = ["", "steepest rise, dB/ms", "p95", "line at the frame rate, dB", "p95", "onset apart, ms", "p95"]
    speech = any("voice_frechet" in row for row in rows.values())
    keys = ("onset_db_per_ms", "frame_rate_db", "onset_apart_ms")
    table = [
        [label, *(row[key][figure] for key in keys for figure in ("median", "p95"))]
        + ([row["voice_frechet"]] if speech else [])
        for label, row in rows.items()
    ]
    console.print(_table("Sound of the clips", [*columns, *(["Fréchet of voices"] if speech else [])], table))


_PRINTERS: dict[str, Callable[[Figures, Console], None]] = {
    "pitch": _pitch,
    "partials": _partials,
    "modulation": _modulation,
    "onset": _onset,
    "velocity": _velocity,
    "evenness": _evenness,
    "drift": _drift,
    "held_out": _of_notes("free-running", {"steps_1": "one step", "steps_2": "two steps"}),
    "played": _of_notes("as they sound", {"humanity_1": "humanity 1", "humanity_0": "humanity 0"}),
    "residual": _of_notes(
        "free-running: what one step adds to the median",
        {"recorded": "recordings", "median": "median alone", "noise": "noise", "one_step": "one step"},
    ),
    "buzz": _buzz,
    "breath": _breath,
    "clicks": _clicks,
    "corpus": _corpus,
    "music": print_music,
}
