"""The figures that a report shows, and what they should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One figure of a result: `path` leads to it, with dots. A figure without a limit is for information."""

    path: str
    label: str
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return f"≥ {self.at_least:g}" if self.at_least is not None else ""

    def value(self, result: dict[str, Any]) -> float | None:
        """The figure, or None where it was not measured."""
        found: Any = result
        for key in self.path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return None if found is None else float(found)

    def met(self, result: dict[str, Any]) -> bool | None:
        """Whether the target is met; None without a target or a figure."""
        value = self.value(result)
        if value is None or (self.at_most is None and self.at_least is None):
            return None
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


FIGURES = (
    Figure("latency.one_note.p50_ms", "one note, p50", "ms"),
    Figure("latency.one_note.p99_ms", "one note, p99", "ms", at_most=10),
    Figure("latency.chord.p50_ms", "8-note chord, p50", "ms"),
    Figure("latency.chord.p99_ms", "8-note chord, p99", "ms", at_most=20),
    Figure("latency.one_note_among_4.p50_ms", "one note while 4 sound, p50", "ms"),
    Figure("latency.one_note_among_4.p99_ms", "one note while 4 sound, p99", "ms"),
    Figure("latency.chord_among_4.p99_ms", "8-note chord while 4 sound, p99", "ms"),
    Figure("throughput.voices_1.warm_load", "load of 1 voice, warm"),
    Figure("throughput.voices_1.cold_load", "load of 1 voice, cold caches"),
    Figure("throughput.voices_8.warm_load", "load of 8 voices struck apart, warm"),
    Figure("throughput.voices_8.cold_load", "load of 8 voices struck apart, cold caches"),
    Figure("throughput.voices_8.warm_together_load", "load of 8 voices struck together, warm"),
    Figure("throughput.voices_8.cold_together_load", "load of 8 voices struck together, cold caches"),
    Figure("throughput.voices_16.warm_load", "load of 16 voices struck apart, warm", at_most=0.85),
    Figure("throughput.voices_16.cold_load", "load of 16 voices struck apart, cold caches", at_most=0.85),
    Figure("throughput.voices_16.warm_together_load", "load of 16 voices struck together, warm", at_most=0.85),
    Figure("throughput.voices_16.cold_together_load", "load of 16 voices struck together, cold caches", at_most=0.85),
    Figure("throughput.render_melody.times_real_time", "offline render of one voice", "x real time", at_least=20),
    Figure("throughput.render_dense.times_real_time", "offline render of 16 voices", "x real time", at_least=2),
    Figure("startup.first_sound_s", "process start to first sound", "s", at_most=2),
    Figure("startup.peak_mb", "resident memory, peak", "MB", at_most=350),
    Figure("startup.own_mb", "the same without memory shared with the sound server", "MB"),
    Figure("live.lead_ms", "lead", "ms", at_most=40),
    Figure("live.synth.starved_callbacks", "starved callbacks with a hog", at_most=0),
    Figure("live.synth.least_voices", "fewest voices sounding"),
    Figure("live.synth.late_periods", "late periods, synth"),
    Figure("live.silence.late_periods", "late periods, silence"),
    Figure("live.late_ratio", "late periods, synth to silence", at_most=1.2),
    Figure("live.least_lead_ms", "least lead that holds without a hog", "ms"),
    Figure("performing.ring.p50_ms", "MIDI note to its first sample in the ring, p50", "ms"),
    Figure("performing.ring.p99_ms", "the same, p99", "ms", at_most=15),
    Figure("performing.jitter_ms", "how its onset varies (standard deviation)", "ms", at_most=2),
    Figure("performing.lost", "notes lost", at_most=0),
    Figure("performing.starved_callbacks", "starved callbacks meanwhile", at_most=0),
    Figure("teacher.one_step_ms", "one block's mel, one step", "ms"),
    Figure("teacher.sampler_ms", "one block's mel, 18-step Heun", "ms"),
    Figure("teacher.ratio", "one step to the sampler", "x faster"),
    Figure("teacher.ratio_with_vocoder", "the same with the vocoder's network", "x faster"),
    Figure("training.teraflop", "training step of 64 x 320 frames: arithmetic", "TFLOP"),
    Figure("training.gigabytes", "the same: memory traffic, at least", "GB"),
    Figure("training.floor_ms", "the same: floor on an H100", "ms"),
    Figure("training.step_ms", "the same: on this device", "ms"),
    Figure("training.steps_per_second", "steps a second on this device", "1/s"),
    Figure("training.share_of_products", "its arithmetic against a plain product's on this device"),
)


def judge(result: dict[str, Any]) -> dict[str, bool]:
    """Path -> met, for every figure of `result` that has a target."""
    verdicts = {figure.path: figure.met(result) for figure in FIGURES}
    return {path: met for path, met in verdicts.items() if met is not None}
