"""Damaged input: whatever is done to a file, it is refused with a reason or read; nothing else, and quietly."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.errors import MediaRefused
from drift.fingerprints.pdq import pdq_of_file
from drift.media.content import content_digest
from drift.media.probe import probe
from drift.media.transcript import read_transcript

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's; the product silences them itself

TRUNCATED = {  # every format whose truncation can be told; text cannot
    "a.png": None, "a.jpg": None, "progressive.jpg": None, "a.webp": None, "a.gif": None, "a.tiff": None,
    "a.bmp": None, "a.avif": None, "moving.gif": None, "moving.webp": None, "moving.png": None,
    "a.mp4": None, "fast.mp4": "frames can be decoded", "fragments.mp4": "frames can be decoded", "a.mov": None,
    "a.mkv": "frames can be decoded", "a.webm": "frames can be decoded",
    "a.wav": "ms can be decoded", "a.flac": None, "a.mp3": "ms can be decoded", "a.ogg": "can be decoded",
    "a.m4a": None,
}  # fmt: skip


@pytest.mark.parametrize("name", TRUNCATED)
def test_every_truncation_is_refused(media, tmp_path, name):
    whole = (media / name).read_bytes()
    path = tmp_path / name
    cuts = {len(whole) * k // 23 for k in range(1, 23)} | {len(whole) - n for n in (1, 3, 20)} | {1, 2, 5, 12}

    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        with pytest.raises(MediaRefused):
            probe(path)


def test_adts_cut_within_a_frame_is_refused(media, tmp_path):
    whole = (media / "a.aac").read_bytes()
    path = tmp_path / "a.aac"  # between two frames nothing can tell: the format has no length
    path.write_bytes(whole[:-5])

    with pytest.raises(MediaRefused, match="ms can be decoded"):
        probe(path)


@pytest.mark.parametrize("name", [name for name, says in TRUNCATED.items() if says])
def test_a_truncated_stream_says_how_much_is_left(media, tmp_path, name):
    whole = (media / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) * 3 // 4])

    with pytest.raises(MediaRefused, match=TRUNCATED[name]):
        probe(path)


@pytest.mark.parametrize("name", ["lines.txt", "cues.srt", "cues.vtt", "openai.json", "deepgram.json"])
def test_cut_transcripts_are_read_or_refused(media, tmp_path, name):
    whole = (media / name).read_bytes()
    path = tmp_path / name

    for cut in range(1, len(whole), 3):
        path.write_bytes(whole[:cut])
        try:
            content_digest(path)
        except MediaRefused as refusal:
            assert name in str(refusal)


NAMES = [*TRUNCATED, "a.aac", "cues.srt", "cues.vtt", "openai.json"]


@settings(deadline=None, max_examples=150)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32 - 1), flips=st.integers(1, 40))
def test_flipped_bytes_are_read_or_refused(media, tmp_path_factory, name, seed, flips):
    rng = np.random.default_rng(seed)
    data = np.frombuffer((media / name).read_bytes(), np.uint8).copy()
    reach = len(data) if seed % 2 else min(len(data), 400)  # every other time only the headers
    data[rng.integers(0, reach, flips)] = rng.integers(0, 256, flips)
    path = tmp_path_factory.mktemp("flip") / name
    path.write_bytes(data.tobytes())

    try:
        found = probe(path)
        content_digest(path, found)
        if found.kind == "image":
            pdq_of_file(path)
    except MediaRefused as refusal:
        assert str(refusal).startswith(name)


@settings(deadline=None, max_examples=80)
@given(head=st.sampled_from(NAMES), kept=st.integers(0, 64), junk=st.binary(min_size=1, max_size=3000))
def test_random_bytes_behind_a_real_beginning(media, tmp_path_factory, head, kept, junk):
    path = tmp_path_factory.mktemp("junk") / "file.bin"
    path.write_bytes((media / head).read_bytes()[:kept] + junk)

    try:
        content_digest(path)
    except MediaRefused as refusal:
        assert "file.bin" in str(refusal)


def test_a_header_that_claims_many_channels_is_refused(media, tmp_path):
    data = bytearray((media / "a.aac").read_bytes())
    data[2] &= 0xFE
    data[3] &= 0x3F  # channels are announced by a program config element, which the payload is not
    data[7:40] = bytes(range(200, 233))
    (tmp_path / "a.aac").write_bytes(data)

    try:
        content_digest(tmp_path / "a.aac")
    except MediaRefused as refusal:
        assert "a.aac" in str(refusal)


def test_damage_leaves_standard_error_alone(media, tmp_path):
    for name in TRUNCATED:
        whole = bytearray((media / name).read_bytes())
        whole[len(whole) // 2 : len(whole) // 2 + 40] = bytes(40)
        (tmp_path / name).write_bytes(whole)
        (tmp_path / f"cut-{name}").write_bytes(whole[: len(whole) // 2])
    script = (
        "import pathlib, sys\n"
        "from drift.errors import MediaRefused\n"
        "from drift.media.content import content_digest\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):\n"
        "    try: content_digest(path)\n"
        "    except MediaRefused: pass\n"
    )

    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_playlist_does_not_reach_other_files(tmp_path):
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    playlist = tmp_path / "a.mp4"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n")

    assert probe(playlist).kind == "transcript"  # text is text, whatever it names


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.srt", "1\n" + "9" * 4297 + ":00:01,000 --> 00:00:02,000\nhello\n", "is no time"),
        ("a.srt", "1\n" + "9" * 5000 + ":00:01,000 --> 00:00:02,000\nhello\n", "is no time"),
        ("a.vtt", "WEBVTT\n\n" + "9" * 5000 + ":00:01.000 --> 00:00:02.000\nhello\n", "is no time"),
        ("a.json", '{"segments": [{"text": "a", "start": 1' + "0" * 400 + "}]}", "outside the recording"),
        ("a.json", '{"segments": [{"text": "a", "start": 1e999}]}', "outside the recording"),
        ("a.json", '{"segments": [{"text": "a", "start": 1' + "0" * 5000 + "}]}", "malformed JSON"),
        ("a.json", '{"text": "half a pair \\ud800"}', "malformed JSON"),
        ("a.txt", "a" + "\u0301\u0323" * 600, "combining marks"),
        ("a.json", '{"text": "a' + "\\u0301\\u0323" * 600 + '"}', "combining marks"),
    ],
)
def test_numbers_and_texts_beyond_any_recording_are_refused(tmp_path, name, text, why):
    path = tmp_path / name
    path.write_text(text, "utf-8")

    for read in (probe, content_digest):
        with pytest.raises(MediaRefused, match=why) as refusal:
            read(path)
        assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n" + "<a" * 1_000_000),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<v " * 1_000_000),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<v." * 1_000_000 + ">"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nx" + "<c" * 1_000_000),
    ],
)
def test_tags_that_never_close_take_no_quadratic_time(tmp_path, name, text):
    path = tmp_path / name  # a quadratic reader takes hours here
    path.write_text(text, "utf-8")

    assert probe(path).facts["segments"] == 1


def test_a_member_that_stands_twice_is_found_among_many(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("{" + ",".join(f'"{n}":0' for n in range(200_000)) + ',"199999":0}', "utf-8")

    with pytest.raises(MediaRefused, match="'199999' stands twice"):
        probe(path)


def test_tags_before_an_open_one_are_still_dropped(tmp_path):
    path = tmp_path / "a.vtt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>one <b>two</b> <v Bob>three < four <i\n", "utf-8")

    found = read_transcript(path)

    assert [(part.speaker, part.text) for part in found.segments] == [("Ann", "one two "), ("Bob", "three < four <i")]
