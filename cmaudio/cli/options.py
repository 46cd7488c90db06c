"""Options shared by several commands, each with one name, type and help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.checks import CHANNELS
from cmaudio.errors import CmaudioError
from cmaudio.output.devices import OpenStream, SoundCards, list_devices
from cmaudio.output.host_api import ASIO, enable_asio
from cmaudio.score.arrangement import Missing

DEFAULT_SEND = 0.3  # to an impulse response that is given without a reverb level

ModelName = Annotated[
    str, typer.Option("--model", help="Name of an embedded model, a model file, or a folder with one.")
]
PresetName = Annotated[
    str | None, typer.Option("--preset", help="Preset to start from: a name (`cmaudio presets`) or a file.")
]
Device = Annotated[
    str | None, typer.Option("--device", help="Output device: index, name or part of a name (`cmaudio devices`).")
]
HostApi = Annotated[
    str | None,
    typer.Option(
        "--host-api", help="Audio system of the device, such as wasapi, alsa or core audio (`cmaudio devices`)."
    ),
]
Exclusive = Annotated[bool, typer.Option("--exclusive", help="Exclusive use of the sound card (Windows WASAPI).")]
Asio = Annotated[bool, typer.Option("--asio", help="Use ASIO drivers (Windows).")]
OutputBuffer = Annotated[
    float,
    typer.Option(
        "--lead",
        min=1.0,
        help="Output buffer in ms: how far synthesis runs ahead of the sound card. A longer buffer tolerates a busier "
        "machine, a shorter one has less latency.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Random seed; the same seed gives the same samples. 0 by default.")]
Steps = Annotated[int | None, typer.Option(help="Network evaluations per block: 1 (default), or 2 for finer sound.")]
Gain = Annotated[float | None, typer.Option(help="Master gain in dB, before the limiter; 0 by default.")]
Polyphony = Annotated[int, typer.Option(help="Maximum number of voices sounding at once.")]
ControlValues = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a control, as in attack=1.5; repeatable.")
]
TimbreName = Annotated[str | None, typer.Option("--timbre", help="Play every part with this timbre.")]
MissingPrograms = Annotated[Missing, typer.Option("--missing", help="How to play programs that the model lacks.")]
MissingDrums = Annotated[Missing, typer.Option("--percussion", help="How to play drums that the model lacks.")]
Record = Annotated[
    Path | None, typer.Option(help="Also record to this .wav or .flac file, and the notes to a .mid beside it.")
]
OscPort = Annotated[int | None, typer.Option("--osc", help="Also listen for OSC on this port (`cmaudio osc`).")]
MidiOut = Annotated[
    str | None,
    typer.Option("--midi-out", help="Also send notes and clock to this MIDI port: index or (part of a) name."),
]
VirtualOut = Annotated[
    str | None, typer.Option("--virtual-out", help="Also send notes and clock to a virtual MIDI port of this name.")
]
JoinLink = Annotated[
    bool, typer.Option("--link", help="Share tempo, beat, start and stop with other programs over Ableton Link.")
]
Channels = Annotated[
    int | None,
    typer.Option(min=1, max=2, help="1: mono, 2: stereo; by default instruments are stereo, speaking voices mono."),
]
Pair = Annotated[
    int,
    typer.Option(min=1, help="Output pair of the device for stereo: 1 is its first and second output, 2 the next."),
]
Pairs = Annotated[
    int | None, typer.Option(min=1, help="Output pairs to open, for routes set over OSC; by default those needed.")
]
Routes = Annotated[
    list[str] | None,
    typer.Option(
        "--route",
        help="Play a MIDI channel (1 to 16) on its own output pair, without effects, as in 10:2; repeatable.",
    ),
]
ImpulseResponse = Annotated[
    Path | None,
    typer.Option(
        help="Impulse response (sound file) that replaces the reverb. If nothing is sent to the reverb, "
        f"sends {DEFAULT_SEND:g} of everything."
    ),
]
VoiceName = Annotated[str, typer.Option("--model", "--voice", help="Name of an embedded voice, or a model file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def device_of(option: str | None) -> str | int | None:
    """A device or port from the command line: an index, or a name or part of one."""
    return int(option) if option and option.isdecimal() else option


def routes_of(options: list[str] | None) -> dict[int, int]:
    """`--route` as MIDI channel 0..15 -> output pair. Raises CmaudioError for anything but two numbers."""
    found = {}
    for option in options or ():
        channel, _, pair = option.partition(":")
        if not (channel.isdecimal() and pair.isdecimal() and 1 <= int(channel) <= CHANNELS and int(pair) >= 1):
            raise CmaudioError(
                f"--route must be a MIDI channel from 1 to {CHANNELS}, a colon and an output pair, such as 10:2, "
                f"not {option!r}"
            )
        found[int(channel) - 1] = int(pair)
    return found


def sound_cards(host_api: str | None = None, exclusive: bool = False, asio: bool = False) -> OpenStream:
    """What opens the output. Raises CmaudioError for options that exclude each other."""
    if not asio:
        return SoundCards(host_api, exclusive)
    if host_api is not None or exclusive:
        raise CmaudioError("--asio is itself a host API: omit --host-api and --exclusive")
    enable_asio()
    return SoundCards(ASIO)


def any_output() -> bool:
    """Whether PortAudio is installed and offers an output device."""
    try:
        return bool(list_devices())
    except CmaudioError:
        return False
