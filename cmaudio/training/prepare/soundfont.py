"""Random notes of a SoundFont as a source of clips, rendered by TinySoundFont or FluidSynth."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text
from cmaudio.files.reading import is_file
from cmaudio.model.deviation import PitchDeviation
from cmaudio.model.partials import NoPartials, Partials
from cmaudio.score.general_midi import PERCUSSION, PROGRAMS
from cmaudio.signal.dsp import Float
from cmaudio.soundfont import deviation
from cmaudio.soundfont.baked import BakedSoundFont, copyright_notice
from cmaudio.soundfont.fluid import MISSING, FluidSoundFont, is_installed
from cmaudio.soundfont.open import Player, open_player
from cmaudio.soundfont.partials import VELOCITY, measure_partials
from cmaudio.soundfont.player import TRAINING_GAIN
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES
from cmaudio.training.corpus.clip import Clip, Signal
from cmaudio.training.corpus.description import Split
from cmaudio.training.prepare.notes import Note, NoteSampler, every_key
from cmaudio.training.prepare.outcomes import momentary_level_db
from cmaudio.training.prepare.pitch import frame_centres
from cmaudio.training.prepare.source import Maker, Refused, Traits

# General MIDI programs that sustain while the key is down.
SUSTAINED = {*range(16, 24), *range(40, 45), *range(48, 55), *range(56, 96), 97, 99, 101, 102, 103} - {88, 92}
SUSTAINED |= {109, 110, 111, 122, 125, 126}
LEAD_HOPS = 4
_STEPS_A_HOP = 2  # pitch wheel events per hop
_MEASURED_RATE, _MEASURED_SECONDS = 48_000, 1.0
_SILENT_DB = -85.0  # before the gain; the mel's floor is far above it


@dataclass(frozen=True)
class SoundFontSource:
    """Notes of a SoundFont file (.sf2, .sf3).

    Args:
        path: the file.
        programs: 0..127.
        drums: whether to add its drum kit, a timbre per key.
        licence: "" for the file's own notice.
        every_key: whether every key at a few velocities precedes the random notes.
        player: FluidSynth follows the file's modulators, TinySoundFont those of a few programs.

    The other arguments are those of `NoteSampler`.
    """

    path: Path
    programs: tuple[int, ...] = tuple(range(128))
    drums: bool = True
    notes: int = 24_000
    held_out: int = 256
    seed: int = 1
    short_share: float = 0.25
    long_share: float = 0.05
    ring_share: float = 0.05
    drum_share: float = 0.1
    licence: str = ""
    kind: str = "soundfont"
    gain: float = TRAINING_GAIN
    player: Player = "tinysoundfont"
    every_key: bool = False

    def __post_init__(self) -> None:
        if not is_file(self.path):
            raise CmaudioError(f"no SoundFont {self.path}: give a .sf2 or .sf3 file")
        if self.player == "fluidsynth" and not is_installed():
            raise CmaudioError(MISSING)
        if self.player == "tinysoundfont" and importlib.util.find_spec("tinysoundfont") is None:
            raise CmaudioError("tinysoundfont is missing, which plays SoundFonts: pip install --no-deps tinysoundfont")
        if not self.programs and not self.drums:
            raise CmaudioError("nothing to play: give --programs, --drums, or both")
        if not self.licence:
            object.__setattr__(self, "licence", copyright_notice(self.path))

    @property
    def name(self) -> str:
        return as_text(self.path.stem)

    @cached_property
    def settings(self) -> Mapping[str, str | int | float | bool | None]:
        return {
            "soundfont": as_text(self.path.name),
            "sha256": sha256(self.path.read_bytes()).hexdigest(),
            "programs": ",".join(str(program + 1) for program in self.programs),
            "drums": self.drums,
            "notes": self.notes,
            "held_out": self.held_out,
            "seed": self.seed,
            "short_share": self.short_share,
            "long_share": self.long_share,
            "ring_share": self.ring_share,
            "drum_share": self.drum_share,
            **({} if self.player == "tinysoundfont" else {"player": self.player}),
            **({"every_key": True} if self.every_key else {}),
        }

    def items(self) -> Mapping[Split, Sequence[Note]]:
        drum_keys = tuple(PERCUSSION) if self.drums else ()
        return NoteSampler(
            notes=self.notes,
            held_out=self.held_out,
            seed=self.seed,
            programs=self.programs,
            sustained=sorted(SUSTAINED & set(self.programs)),
            drum_keys=drum_keys,
            drum_share=self.drum_share,
            short_share=self.short_share,
            long_share=self.long_share,
            ring_share=self.ring_share,
            given=every_key(self.programs, drum_keys) if self.every_key else (),
        ).draw()

    def open(self, signal: Signal) -> Maker[Note]:
        soundfont = open_player(self.path, signal.sample_rate, self.player)
        return lambda note: [record(soundfont, note, signal)]

    def traits(self, timbre: str, voiced_share: float) -> Traits:
        if timbre in PROGRAMS:
            program = PROGRAMS.index(timbre)
            sustained = program in SUSTAINED
            partials = measure_program(self.path, program, sustained, self.player)
            swings = sustained and not isinstance(partials, NoPartials)
            deviates = _deviation(self.path, program, self.player) if swings else None
            return Traits(True, sustained, program, None, partials, deviates)
        key = next(key for key, name in PERCUSSION.items() if name == timbre)
        return Traits(pitched=False, sustained=False, key=key)


def measure_program(path: Path, program: int, sustained: bool, player: Player = "tinysoundfont") -> Partials | None:
    """The partials of a General MIDI program, None for harmonics."""
    soundfont = _opened(path, player)
    samples = round(_MEASURED_SECONDS * _MEASURED_RATE)

    def play(key: int) -> Float:
        return soundfont.note(program, key, VELOCITY, samples)

    return measure_partials(play, _MEASURED_RATE, sustained)


def _deviation(path: Path, program: int, player: Player) -> PitchDeviation | None:
    """The pitch deviation of a sustained General MIDI program, None if exact."""
    soundfont = _opened(path, player)
    samples = round(deviation.SECONDS * _MEASURED_RATE)

    def play(key: int) -> Float:
        return soundfont.note(program, key, deviation.VELOCITY, samples)

    return deviation.measure_deviation(play, _MEASURED_RATE)


@lru_cache(1)
def _opened(path: Path, player: Player) -> BakedSoundFont | FluidSoundFont:
    return open_player(path, _MEASURED_RATE, player)


def record(soundfont: BakedSoundFont | FluidSoundFont, note: Note, signal: Signal) -> Clip:
    """Render a note. Raises Refused if it is silent: the SoundFont has no sample there."""
    hop, rate = signal.hop_length, signal.sample_rate
    frames = round(note.seconds * rate / hop)
    step = hop // _STEPS_A_HOP
    lead = LEAD_HOPS * hop
    gate = max(1, round(note.gate_seconds * rate / step)) * step
    since_onset = ((np.arange(frames * _STEPS_A_HOP) + 0.5) * step - lead) / rate
    audio = _play(soundfont, note, note.bend(since_onset), lead, gate, step)
    if momentary_level_db(audio, rate) < _SILENT_DB:
        raise Refused(f"silent: the SoundFont has nothing for {note.timbre} there")
    pitched = note.program is not None
    pitch = float(note.pitch) if pitched else UNPITCHED_SEMITONES
    bend = note.bend((frame_centres(frames, hop) - lead) / rate)
    return Clip(
        name=note.name,
        timbre=note.timbre,
        audio=np.concatenate([audio, np.zeros(frames * hop - len(audio), np.float32)]),
        semitones=pitch + bend,
        voiced=np.full(frames, pitched, np.float32),
        pitch=pitch,
        velocity=float(note.velocity),
        onset_samples=lead,
        release_samples=lead + gate,
    )


def _play(
    soundfont: BakedSoundFont | FluidSoundFont, note: Note, bend: Float, lead: int, gate: int, step: int
) -> Float:
    """(N,) samples with `lead` samples of silence before the note; bend (N / step,)."""
    if note.program is None:
        soundfont.select_drums()
    else:
        soundfont.select(note.program)
    pieces = [np.zeros(lead, np.float32)]
    first = lead // step
    for index, semitones in enumerate(bend[first:]):
        if index * step == gate:
            soundfont.off(note.pitch)
        soundfont.bend(float(semitones))
        if index == 0:
            soundfont.on(note.pitch, note.velocity)
        pieces.append(soundfont.read(step))
    soundfont.silence()
    return np.concatenate(pieces)
