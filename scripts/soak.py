"""Play densely for a long time with the panel open, and count underruns.

    python scripts/soak.py [--minutes 10] [--seed 0] [--lead 40] [--no-sequencer] [--no-effects] [--no-panel]

Plays up to 16 voices on a JACK dummy server with periods of 128 samples: notes, bends, pedals, controllers and program
changes by MIDI, and presets. Reverb, chorus and delay are on, the step sequencer plays a song of drums, notes and
automation, and the panel is open in a headless Chromium, with its spectrogram running; the options omit these. Prints
JSON: underruns, late and dropped steps, the latency of MIDI notes to the ring buffer, and the jitter of their onsets.
Fails if a part that was not omitted does not run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import cmaudio
from cmaudio.bench.jack import jack_server, may_be_realtime
from cmaudio.bench.midi_timing import OnePort, TimingProbe, timing_metrics
from cmaudio.instrument.preset_files import load_preset, preset_files
from cmaudio.machine import describe_machine
from cmaudio.midi.bindings import Bindings
from cmaudio.panel.clock_output import ClockOutput
from cmaudio.panel.host import Host
from cmaudio.panel.reach import Address
from cmaudio.sequencer import AutomationLane, GridPattern, PatternBank, Song, note_lane, pad_lane
from cmaudio.synth import Synth

_PORT = 8799
_CHANNELS = 4
_MEASURED = 15  # channel of the notes whose latency is measured
_EVERY_SECONDS = 0.03
_CONTROLLERS = (1, 7, 10, 11, 71, 74, 91, 93, 94)
_PARTS = ("sequencer", "effects", "panel")
_EFFECTS = {"reverb": 0.4, "chorus": 0.3, "delay": 0.3}
_BROWSER_PORT, _PAGE_SECONDS, _SETTLE_SECONDS = 8798, 120.0, 5.0
_QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@contextmanager
def page(url: str) -> Iterator[None]:
    """Open the panel's page in a browser. Raises SystemExit if there is none."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("there is no Chromium to open the panel in: apt install chromium, or give --no-panel")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            browser,
            *_QUIET.split(),
            f"--user-data-dir={profile}",
            f"--remote-debugging-port={_BROWSER_PORT}",
            url,
        ]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_page()
            yield
        finally:
            running.terminate()
            running.wait(10)


def messages(random: np.random.Generator, down: list[tuple[int, int]]) -> Iterator[bytes]:
    """Random MIDI messages: mostly notes, of which at most a dozen are held, and some controllers."""
    channel = int(random.integers(_CHANNELS))
    kind = random.random()
    if kind < 0.45 and len(down) < 12:
        key, velocity = int(random.integers(36, 90)), int(random.integers(20, 127))
        down.append((channel, key))
        yield bytes((0x90 | channel, key, velocity))
    elif kind < 0.8 and down:
        held, key = down.pop(int(random.integers(len(down))))
        yield bytes((0x80 | held, key, 0))
    elif kind < 0.86:
        wheel = int(random.integers(0, 1 << 14))
        yield bytes((0xE0 | channel, wheel & 127, wheel >> 7))
    elif kind < 0.98:
        yield bytes((0xB0 | channel, int(random.choice(_CONTROLLERS)), int(random.integers(20, 128))))
    elif kind < 0.99:
        yield bytes((0xC0 | channel, int(random.integers(96))))
    else:
        yield bytes((0xB0 | channel, 64, 127 * int(random.random() < 0.5)))


def wait_for_page() -> None:
    """Wait until the browser has loaded the page. Raises SystemExit if it does not."""
    until = time.monotonic() + _PAGE_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{_BROWSER_PORT}/json/list") as answer:
            if any(each["type"] == "page" and each["title"] == "cmaudio" for each in json.load(answer)):
                time.sleep(_SETTLE_SECONDS)
                return
        time.sleep(0.2)
    raise SystemExit("the panel's page did not load; open `cmaudio panel` in a browser to see why, or give --no-panel")


def set_effects(synth: Synth) -> None:
    """Turn the effects on; presets change them."""
    for name, value in _EFFECTS.items():
        synth.controls.set(name, value)


def play_song(synth: Synth) -> None:
    """Start a song of drums, notes and automation, with probabilities, ratchets and swing."""
    drums = list(synth.model.drums.values())[:3]
    lanes = (
        *(
            pad_lane(drum, hits)
            for drum, hits in zip(drums, ("x...x...x...x...", "....X.......X..o", "..x...x...x...x."), strict=False)
        ),
        note_lane("bass", ["C2", None, "C2", "Eb2", "_", None, "G1", {"pitches": "Bb1", "ratchets": 3}] * 2),
        note_lane("high", [{"pitches": p, "probability": 0.6} for p in (72, 75, 79, 82)] * 4, timbre="vibraphone"),
    )
    moves = (AutomationLane(control="brightness", values={0: -2.0, 8: 3.0}, smooth=True),)
    verse = GridPattern(name="verse", swing=0.2, lanes=lanes, automation=moves)
    chorus = verse.changed(name="chorus", swing=0.0, seed=1)
    song = Song(parts=[("verse", 2), "chorus"], loop=True)  # type: ignore[arg-type]
    synth.sequencer.bank = PatternBank(tempo=112.0, patterns=(verse, chorus), song=song)
    synth.sequencer.play(song=True)


@dataclass
class Played:
    """Key and time of each measured note; number of voices and voice limit at each iteration."""

    stamps: list[tuple[int, float]] = field(default_factory=list)
    voices: list[int] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)


def play(synth: Synth, port: OnePort, seconds: float, seed: int, effects: bool) -> Played:
    """Play random messages for a while."""
    random, down = np.random.default_rng(seed), list[tuple[int, int]]()
    played, end = Played(), time.monotonic() + seconds
    moments, sounding = 0, None
    presets = [name for name in preset_files() if load_preset(name).model == synth.model.manifest.name]
    while time.monotonic() < end:
        moments += 1
        for message in messages(random, down):
            port.play(message)
        if moments % 20 == 0:  # every 0.6 s a measured note, alone on its channel
            if sounding is not None:
                port.play(bytes((0x80 | _MEASURED, sounding, 0)))
            sounding = 40 + (moments // 20) % 48
            played.stamps.append((sounding, time.perf_counter()))
            port.play(bytes((0x90 | _MEASURED, sounding, 90)))
        if moments % 1000 == 0:
            synth.apply(presets[int(random.integers(len(presets)))])
            if effects:
                set_effects(synth)
        played.voices.append(synth.engine.sounding)
        played.limits.append(synth.engine.allocator.limit)
        time.sleep(_EVERY_SECONDS)
    return played


def soak(minutes: float, seed: int, lead_ms: float, *, sequencer: bool, effects: bool, panel: bool) -> dict[str, Any]:
    """Play and measure; must run in the environment of a JACK server."""
    port = OnePort()
    with ExitStack() as stack:
        synth = stack.enter_context(cmaudio.open(lead_ms=lead_ms))
        watch = TimingProbe(synth)
        synth.connect_midi(system=port, bindings=Bindings())
        if panel:
            files = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            address = Address("127.0.0.1", _PORT, None)
            host = Host(synth, address, files, ClockOutput(), lambda text: print(text, file=sys.stderr))
            stack.callback(host.close)
            stack.enter_context(page(address.url))
        if effects:
            set_effects(synth)
        if sequencer:
            play_song(synth)
        before = synth.state().player.counters
        played = play(synth, port, 60 * minutes, seed, effects)
        state = synth.state()
        after = state.player.counters
        if sequencer and not synth.sequencer.playing:
            raise SystemExit("the step sequencer stopped by itself: the figures would not be those of a full soak test")
    return {
        "minutes": minutes,
        "seed": seed,
        "lead_ms": lead_ms,
        "panel_in_a_browser": panel,
        "effects": list(_EFFECTS) if effects else [],
        "sequencer": {"late": synth.clock.late, "dropped": synth.clock.dropped} if sequencer else None,
        "voices": {"mean": round(float(np.mean(played.voices)), 1), "most": max(played.voices)},
        "allowed_voices": {"mean": round(float(np.mean(played.limits)), 1), "fewest": min(played.limits)},
        "load": round(state.player.load, 2),
        "callbacks": after.callbacks - before.callbacks,
        "underruns": after.underruns - before.underruns,
        "measured_notes": len(played.stamps),
        **timing_metrics(watch, played.stamps, synth.engine.sample_rate),
    }


def main() -> None:
    """Start a JACK server, and this script again as its client."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="duration")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random messages")
    parser.add_argument("--lead", type=float, default=40.0, help="output buffer in ms")
    for part in _PARTS:
        parser.add_argument(f"--{part}", action=argparse.BooleanOptionalAction, default=True, help=f"run the {part}")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        parts = {part: getattr(arguments, part) for part in _PARTS}
        print(json.dumps(soak(arguments.minutes, arguments.seed, arguments.lead, **parts)))
        return
    with jack_server(may_be_realtime()) as server:
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--inside"],
            env=server.environment, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.returncode)  # the client has printed the error
    setting = {"date": time.strftime("%Y-%m-%d"), "machine": describe_machine()}
    print(json.dumps(setting | json.loads(done.stdout.splitlines()[-1]), indent=1))


if __name__ == "__main__":
    main()
