import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files import audio_file
from cmaudio.files.audio_file import AudioFileWriter

SAMPLE_RATE = 48_000


def noise(length: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-1, 1, length).astype(np.float32)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("ending", ["wav", "flac", "WAV"])
@pytest.mark.parametrize(("subtype", "step"), [("PCM_16", 2.0**-15), ("PCM_24", 2.0**-23)])
def test_samples_come_back(tmp_path: Path, ending: str, subtype: str, step: float) -> None:
    samples = noise(8193)
    path = tmp_path / f"a.{ending}"
    with AudioFileWriter(path, SAMPLE_RATE, subtype) as writer:
        for block in np.split(samples, [0, 1, 65, 4096]):
            writer.write(block)
        assert writer.frames_written == 8193
    assert names(tmp_path) == [path.name]
    read, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    assert soundfile.info(path).subtype == subtype
    np.testing.assert_allclose(read, samples, atol=1.01 * step)


def test_defaults_and_float(tmp_path: Path) -> None:
    with AudioFileWriter(tmp_path / "a.wav", SAMPLE_RATE) as writer:
        writer.write(np.array([0.0, 2.0, -2.0], dtype=np.float32))
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_24"
    np.testing.assert_allclose(soundfile.read(tmp_path / "a.wav")[0], [0, 1, -1], atol=1e-6)
    with AudioFileWriter(tmp_path / "b.wav", SAMPLE_RATE, "FLOAT") as writer:
        writer.write(np.array([0.0, 2.0, -2.0], dtype=np.float32))
    np.testing.assert_array_equal(soundfile.read(tmp_path / "b.wav")[0], [0, 2, -2])


def test_no_samples_at_all(tmp_path: Path) -> None:
    with AudioFileWriter(tmp_path / "a.wav", SAMPLE_RATE):
        pass
    assert soundfile.info(tmp_path / "a.wav").frames == 0
    with pytest.raises(CmaudioError, match=r"no empty files.*\.wav"), AudioFileWriter(tmp_path / "a.flac", SAMPLE_RATE):
        pass
    assert names(tmp_path) == ["a.wav"]


@pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt(), CmaudioError("ours"), OSError("ours")])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_an_exception_leaves_the_old_file_and_no_half_one(tmp_path: Path, ending: str, error: BaseException) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(b"old")
    with pytest.raises(type(error)) as caught, AudioFileWriter(path, SAMPLE_RATE) as writer:  # noqa: PT012
        writer.write(noise(50_000))
        raise error
    assert caught.value is error
    assert names(tmp_path) == [path.name]
    assert path.read_bytes() == b"old"


def test_old_file_is_replaced_and_untouched_until_then(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with AudioFileWriter(path, SAMPLE_RATE) as writer:
        writer.write(noise(50_000))
        assert path.read_bytes() == b"old"
    assert soundfile.info(path).frames == 50_000


def test_a_link_is_followed_and_the_mode_is_that_of_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "a.wav", tmp_path / "link.wav"
    link.symlink_to(target)
    with AudioFileWriter(link, SAMPLE_RATE) as writer:
        writer.write(noise(10))
    assert link.is_symlink()
    (tmp_path / "plain").touch()
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.aiff", [".aiff", ".wav, .flac, .ogg, .opus, .mp3"]),
        ("a", ["without an ending", ".wav, .flac"]),
        ("nowhere/a.wav", ["no folder", "Create it"]),
        ("directory.wav", ["is a directory"]),
        ("x" * 300 + ".wav", ["cannot be written"]),
        ("nul\0.wav", ["cannot be written"]),
    ],
)
def test_unusable_targets(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / "directory.wav").mkdir()
    with pytest.raises(CmaudioError) as caught, AudioFileWriter(tmp_path / name, SAMPLE_RATE):
        pass
    assert all(word in str(caught.value) for word in [str(tmp_path / name), *words])
    assert names(tmp_path) == ["directory.wav"]


def test_unusable_formats(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=r"FLOAT.*PCM_24, PCM_16\."):
        AudioFileWriter(tmp_path / "a.flac", SAMPLE_RATE, "FLOAT")
    with pytest.raises(CmaudioError, match="0 Hz"):
        AudioFileWriter(tmp_path / "a.wav", 0)


def test_wrong_samples_are_our_own_mistake(tmp_path: Path) -> None:
    for samples in (np.zeros((2, 2), dtype=np.float32), np.array([np.nan], dtype=np.float32)):
        with pytest.raises(AssertionError), AudioFileWriter(tmp_path / "a.wav", SAMPLE_RATE) as writer:
            writer.write(samples)
    assert names(tmp_path) == []


def test_wav_stops_before_its_size_field_wraps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_file, "_WAV_LIMIT_BYTES", 3 * 1000)
    with (  # noqa: PT012
        pytest.raises(CmaudioError, match=r"4 GiB.*\.flac"),
        AudioFileWriter(tmp_path / "a.wav", SAMPLE_RATE) as writer,
    ):
        writer.write(noise(1000))
        writer.write(noise(1))
    assert names(tmp_path) == []


def test_a_wav_file_that_will_be_too_large_is_refused_before_the_work(tmp_path: Path) -> None:
    for suffix, frames in ((".wav", 2**32 // 3), (".flac", 2**40), (".wav", 2**30)):
        with AudioFileWriter(tmp_path / f"a{suffix}", SAMPLE_RATE) as writer:
            writer.write(noise(10))
            if frames == 2**32 // 3:
                with pytest.raises(CmaudioError, match=r"4 GiB.*\.flac"):
                    writer.expect(frames)
            else:
                writer.expect(frames)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("only root can mount a small file system")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield disk
    subprocess.run([umount, disk], check=True)


# The lengths in the middle fill the disk while the file is closed, the longest while it is written.
@pytest.mark.parametrize("ending", ["wav", "flac"])
@pytest.mark.parametrize("length", [98_000, 101_000, 102_300, 102_390, 102_400, 102_800, 300_000])
def test_a_full_disk(small_disk: Path, ending: str, length: int) -> None:
    path = small_disk / f"a.{ending}"
    path.write_bytes(b"old")
    try:
        with AudioFileWriter(path, SAMPLE_RATE) as writer:
            for block in np.array_split(noise(length), 7):
                writer.write(block)
    except CmaudioError as error:
        assert all(word in str(error) for word in (str(path), "full", "MiB are free", "another disk"))  # noqa: PT017
        assert path.read_bytes() == b"old"
        assert length > 98_000
    else:
        np.testing.assert_allclose(soundfile.read(path)[0], noise(length), atol=1e-6)
        assert length < 102_400
    assert names(small_disk) == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_limit_on_the_file_size(tmp_path: Path, ending: str) -> None:
    program = textwrap.dedent(f"""
        import numpy as np
        from cmaudio.files.audio_file import AudioFileWriter
        from cmaudio.errors import CmaudioError
        try:
            with AudioFileWriter("a.{ending}", 48000) as writer:
                writer.write(np.random.default_rng(0).uniform(-1, 1, 100_000).astype(np.float32))
        except CmaudioError as error:
            print("told:", error)
    """)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(audio_file.__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, preexec_fn=limit, capture_output=True, text=True
    )
    assert done.stdout.startswith(f"told: a.{ending}: cannot be written"), done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize("trouble", [soundfile.LibsndfileError(2), AssertionError(), OSError(28, "No space left")])
def test_errors_of_libsndfile_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    def fail(*_: object) -> None:
        raise trouble

    path = tmp_path / "a.wav"
    with pytest.raises(CmaudioError) as caught, AudioFileWriter(path, SAMPLE_RATE) as writer:  # noqa: PT012
        monkeypatch.setattr(soundfile.SoundFile, "write", fail)
        writer.write(noise(1_000_000))
    assert all(word in str(caught.value) for word in (str(path), "needs 2.9 MiB", "MiB are free", "Free some space"))
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", [".ogg", ".opus", ".mp3"])
def test_lossy_formats_hold_the_sound(tmp_path: Path, suffix: str) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 / 48_000 * np.arange(48_000))).astype(np.float32)
    with AudioFileWriter(tmp_path / f"tone{suffix}", 48_000) as writer:
        for block in np.split(tone, 8):
            writer.write(block)
    read, rate = soundfile.read(tmp_path / f"tone{suffix}")
    assert rate == 48_000
    assert len(read) == pytest.approx(48_000, abs=4_000)
    assert np.sqrt(np.mean(read[4_000:40_000] ** 2)) == pytest.approx(0.3 / 2**0.5, rel=0.05)


def test_opus_names_the_rates_it_has(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="no sample rate of 44100 Hz, only 8000"):
        AudioFileWriter(tmp_path / "a.opus", 44_100)
