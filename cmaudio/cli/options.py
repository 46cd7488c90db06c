"""Options that several commands take, each with one name, type and help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cmaudio.checks import CHANNELS
from cmaudio.errors import CmaudioError
from cmaudio.output.devices import OpenStream, SoundCards, list_devices
from cmaudio.output.host_api import ASIO, enable_asio
from cmaudio.score.arrangement import Missing

DEFAULT_SEND = 0.3  # to an impulse response that a command is given without a level

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
Exclusive = Annotated[bool, typer.Option("--exclusive", help="Use the sound card alone; Windows WASAPI only.")]
Asio = Annotated[bool, typer.Option("--asio", help="Use ASIO drivers; Windows only.")]
OutputBuffer = Annotated[
    float,
    typer.Option(
        "--lead",
        min=1.0,
        help="Output buffer in ms: how far synthesis runs ahead of the sound card. A longer one survives a busier "
        "machine, a shorter one responds sooner.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Random seed; the same seed gives the same samples. 0 by default.")]
Steps = Annotated[int | None, typer.Option(help="Network evaluations per block: 1 by default, or 2 for finer sound.")]
Gain = Annotated[float | None, typer.Option(help="Master gain in dB, before the limiter; 0 by default.")]
Polyphony = Annotated[int, typer.Option(help="Maximum number of voices sounding at once.")]
ControlValues = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a control, as in attack=1.5; repeatable.")
]
TimbreName = Annotated[str | None, typer.Option("--timbre", help="Play every part with this timbre.")]
MissingPrograms = Annotated[Missing, typer.Option("--missing", help="What plays the programs that the model lacks.")]
MissingDrums = Annotated[Missing, typer.Option("--percussion", help="What plays the drums that the model lacks.")]
Record = Annotated[
    Path | None, typer.Option(help="Also record to this .wav or .flac file, with the notes in a .mid beside it.")
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
    bool, typer.Option("--link", help="Share tempo, beat, start and stop with other programs by Ableton Link.")
]
Channels = Annotated[
    int | None,
    typer.Option(min=1, max=2, help="1 for mono, 2 for stereo: by default instruments have 2, voices that read 1."),
]
Pair = Annotated[
    int,
    typer.Option(min=1, help="Pair of the device's outputs for stereo: 1 is its first and second output, 2 the next."),
]
Pairs = Annotated[
    int | None, typer.Option(min=1, help="Pairs of outputs to open, for routes over OSC; by default as many as needed.")
]
Routes = Annotated[
    list[str] | None,
    typer.Option(
        "--route",
        help="Play a MIDI channel (1 to 16), without its effects, on a pair of outputs of its own: 10:2; repeatable.",
    ),
]
ImpulseResponse = Annotated[
    Path | None,
    typer.Option(
        help="Sound file whose space replaces the reverb. Where nothing is sent to the reverb, "
        f"{DEFAULT_SEND:g} of everything is."
    ),
]
VoiceName = Annotated[str, typer.Option("--model", "--voice", help="Name of an embedded voice, or a model file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def device_of(option: str | None) -> str | int | None:
    """A device or port as given on the command line: an index, or a name or part of one."""
    return int(option) if option and option.isdecimal() else option


def routes_of(options: list[str] | None) -> dict[int, int]:
    """`--route` as MIDI channel 0..15 -> pair of outputs. Raises CmaudioError for anything but two numbers."""
    found = {}
    for option in options or ():
        channel, _, pair = option.partition(":")
        if not (channel.isdecimal() and pair.isdecimal() and 1 <= int(channel) <= CHANNELS and int(pair) >= 1):
            raise CmaudioError(
                f"--route must be a MIDI channel from 1 to {CHANNELS}, a colon and a pair of outputs, such as 10:2, "
                f"not {option!r}"
            )
        found[int(channel) - 1] = int(pair)
    return found


def sound_cards(host_api: str | None = None, exclusive: bool = False, asio: bool = False) -> OpenStream:
    """What opens the output, as the options say. Raises CmaudioError for options that exclude each other."""
    if not asio:
        return SoundCards(host_api, exclusive)
    if host_api is not None or exclusive:
        raise CmaudioError("--asio is a host API of its own: leave out --host-api and --exclusive")
    enable_asio()
    return SoundCards(ASIO)


def any_output() -> bool:
    """Whether PortAudio is installed and offers an output device."""
    try:
        return bool(list_devices())
    except CmaudioError:
        return False
