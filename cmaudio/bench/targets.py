"""The metrics that a report shows, and their targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One metric of a result, found by its dotted `path`. Without a limit it is for information only."""

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
        """The value, or None where it was not measured."""
        found: Any = result
        for key in self.path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return None if found is None else float(found)

    def met(self, result: dict[str, Any]) -> bool | None:
        """Whether the target is met; None without a target or a value."""
        value = self.value(result)
        if value is None or (self.at_most is None and self.at_least is None):
            return None
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


METRICS = (
    Metric("latency.one_note.p50_ms", "one note, p50", "ms"),
    Metric("latency.one_note.p99_ms", "one note, p99", "ms", at_most=10),
    Metric("latency.chord.p50_ms", "8-note chord, p50", "ms"),
    Metric("latency.chord.p99_ms", "8-note chord, p99", "ms", at_most=20),
    Metric("latency.one_note_among_4.p50_ms", "one note while 4 sound, p50", "ms"),
    Metric("latency.one_note_among_4.p99_ms", "one note while 4 sound, p99", "ms"),
    Metric("latency.chord_among_4.p99_ms", "8-note chord while 4 sound, p99", "ms"),
    Metric("latency.one_note_of_one_channel.p50_ms", "one note on one channel, p50", "ms"),
    Metric("latency.one_note_of_two_channels.p50_ms", "in turn with it, one note on two channels, p50", "ms"),
    Metric("latency.one_note_with_effects.p50_ms", "and one with reverb, chorus and delay, p50", "ms"),
    Metric("latency.one_note_with_effects.p99_ms", "the same, p99", "ms", at_most=10),
    Metric("throughput.voices_1.warm_load", "load of 1 voice, warm"),
    Metric("throughput.voices_1.cold_load", "load of 1 voice, cold caches"),
    Metric("throughput.voices_8.warm_load", "load of 8 voices started apart, warm"),
    Metric("throughput.voices_8.cold_load", "load of 8 voices started apart, cold caches"),
    Metric("throughput.voices_8.warm_together_load", "load of 8 voices started together, warm"),
    Metric("throughput.voices_8.cold_together_load", "load of 8 voices started together, cold caches"),
    Metric("throughput.voices_16.warm_load", "load of 16 voices started apart, warm", at_most=0.85),
    Metric("throughput.voices_16.cold_load", "load of 16 voices started apart, cold caches", at_most=0.85),
    Metric("throughput.voices_16.warm_together_load", "load of 16 voices started together, warm", at_most=0.85),
    Metric("throughput.voices_16.cold_together_load", "load of 16 voices started together, cold caches", at_most=0.85),
    Metric("throughput.stereo_ratio", "two channels against one, 16 voices", "x the work", at_most=1.15),
    Metric("throughput.render_melody.times_real_time", "offline render of one voice", "x real time", at_least=20),
    Metric("throughput.render_dense.times_real_time", "offline render of 16 voices", "x real time", at_least=2),
    Metric("effects.together_load", "load of reverb, chorus and delay together", at_most=0.04),
    Metric("effects.reverb_load", "load of the reverb alone"),
    Metric("effects.chorus_load", "load of the chorus alone"),
    Metric("effects.delay_load", "load of the delay alone"),
    Metric("effects.convolution_load", "load of an impulse response of 3 s"),
    Metric("effects.idle_load", "load of effects to which nothing is sent"),
    Metric("startup.first_sound_s", "process start to first sound", "s", at_most=2),
    Metric("startup.peak_mb", "resident memory, peak", "MB", at_most=350),
    Metric("startup.own_mb", "the same without memory shared with the sound server", "MB"),
    Metric("live.lead_ms", "output buffer", "ms", at_most=40),
    Metric("live.synth.underruns", "underruns with a hog", at_most=0),
    Metric("live.effects.underruns", "the same with reverb, chorus and delay", at_most=0),
    Metric("live.effects.load", "load of that run"),
    Metric("live.synth.least_voices", "fewest voices sounding"),
    Metric("live.synth.late_periods", "late periods, synth"),
    Metric("live.silence.late_periods", "late periods, silence"),
    Metric("live.late_ratio", "late periods, synth to silence", at_most=1.2),
    Metric("live.least_lead_ms", "shortest output buffer without underruns, no hog", "ms"),
    Metric("performing.ring.p50_ms", "MIDI note to its first sample in the ring, p50", "ms"),
    Metric("performing.ring.p99_ms", "the same, p99", "ms", at_most=15),
    Metric("performing.jitter_ms", "standard deviation of its onset", "ms", at_most=2),
    Metric("performing.lost", "notes lost", at_most=0),
    Metric("performing.underruns", "underruns meanwhile", at_most=0),
    Metric("teacher.one_step_ms", "one block's mel, one step", "ms"),
    Metric("teacher.sampler_ms", "one block's mel, 18-step Heun", "ms"),
    Metric("teacher.ratio", "one step against the sampler", "x faster"),
    Metric("teacher.ratio_with_vocoder", "the same with the vocoder network", "x faster"),
    Metric("training.teraflop", "training step of 64 x 320 frames: arithmetic", "TFLOP"),
    Metric("training.gigabytes", "the same: memory traffic, at least", "GB"),
    Metric("training.floor_ms", "the same: floor on an H100", "ms"),
    Metric("training.step_ms", "the same: on this device", "ms"),
    Metric("training.steps_per_second", "steps per second on this device", "1/s"),
    Metric("training.share_of_products", "its arithmetic rate, relative to one large matrix product"),
)


def judge(result: dict[str, Any]) -> dict[str, bool]:
    """Path -> met, for every measured metric of `result` that has a target."""
    verdicts = {metric.path: metric.met(result) for metric in METRICS}
    return {path: met for path, met in verdicts.items() if met is not None}
