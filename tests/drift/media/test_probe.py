"""What a file is, by its content: every accepted format, and the ways a file can be unusable."""

import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from drift.errors import MediaEmpty, MediaRefused, MediaTooLarge, MediaUnreadable
from drift.media.limits import Limits
from drift.media.probe import probe

IMAGES = {
    "a.png": ("image/png", "RGB"),
    "a.jpg": ("image/jpeg", "RGB"),
    "progressive.jpg": ("image/jpeg", "RGB"),
    "a.webp": ("image/webp", "RGB"),
    "a.gif": ("image/gif", "P"),
    "a.tiff": ("image/tiff", "RGB"),
    "a.bmp": ("image/bmp", "RGB"),
    "a.avif": ("image/avif", "RGB"),
    "moving.gif": ("image/gif", "P"),
    "moving.webp": ("image/webp", "RGB"),
    "moving.png": ("image/png", "RGB"),
}
VIDEOS = {
    "a.mp4": ("video/mp4", "h264", "25/1", True),
    "fast.mp4": ("video/mp4", "h264", "25/1", False),
    "fragments.mp4": ("video/mp4", "h264", "25/1", False),
    "ntsc.mp4": ("video/mp4", "h264", "30000/1001", False),
    "a.mov": ("video/quicktime", "mpeg4", "25/1", False),
    "a.mkv": ("video/matroska", "h264", "25/1", True),
    "a.webm": ("video/webm", "vp9", "25/1", True),
}
SOUNDS = {
    "a.wav": ("audio/wav", "pcm_s16le", 16_000),
    "a.flac": ("audio/flac", "flac", 16_000),
    "a.mp3": ("audio/mpeg", "mp3", 44_100),
    "a.ogg": ("audio/ogg", "opus", 48_000),
    "a.m4a": ("audio/mp4", "aac", 44_100),
    "a.aac": ("audio/aac", "aac", 44_100),
}
TEXTS = {
    "lines.txt": ("text/plain", None, None, False, 5),
    "cues.srt": ("application/x-subrip", None, None, True, 5),
    "cues.vtt": ("text/vtt", "en", 2, True, 5),
    "openai.json": ("application/json", "english", 2, True, 5),
    "deepgram.json": ("application/json", "en", 2, True, 3),
}


@pytest.mark.parametrize("name", IMAGES)
def test_image_facts(media, name):
    found = probe(media / name)

    media_type, mode = IMAGES[name]
    assert (found.kind, found.media_type) == ("image", media_type)
    assert dict(found.facts) == {"kind": "image", "width": 96, "height": 64, "mode": mode}


@pytest.mark.parametrize("name", VIDEOS)
def test_video_facts(media, name):
    found = probe(media / name)

    media_type, codec, fps, has_audio = VIDEOS[name]
    assert (found.kind, found.media_type) == ("video", media_type)
    facts = dict(found.facts)
    assert facts.pop("duration_ms") in range(1000, 1210) and facts == {
        "kind": "video", "width": 96, "height": 64, "fps": fps, "codec": codec, "frames": 30, "has_audio": has_audio,
    }  # fmt: skip


@pytest.mark.parametrize("name", SOUNDS)
def test_audio_facts(media, name):
    found = probe(media / name)

    media_type, codec, rate = SOUNDS[name]
    assert (found.kind, found.media_type) == ("audio", media_type)
    facts = dict(found.facts)
    assert facts.pop("duration_ms") in range(950, 1100)
    assert facts == {"kind": "audio", "sample_rate": rate, "channels": 1, "codec": codec}


@pytest.mark.parametrize("name", TEXTS)
def test_transcript_facts(media, name):
    found = probe(media / name)

    media_type, language, speakers, timed, words = TEXTS[name]
    assert (found.kind, found.media_type) == ("transcript", media_type)
    assert dict(found.facts) == {
        "kind": "transcript", "language": language, "segments": 2, "speakers": speakers,
        "words": words, "has_timestamps": timed,
    }  # fmt: skip


def test_content_decides_against_any_suffix(media, tmp_path):
    for name, kind in (("a.png", "image"), ("a.mp4", "video"), ("a.wav", "audio"), ("openai.json", "transcript")):
        for suffix in (".png", ".mp4", ".mp3", ".txt", ""):
            copy = tmp_path / f"copy{suffix}"
            copy.write_bytes((media / name).read_bytes())
            assert probe(copy).media_type == probe(media / name).media_type, (name, suffix, kind)


def test_text_that_begins_like_a_bitmap_is_text(tmp_path):
    path = tmp_path / "speech.txt"
    path.write_text("BMW builds cars.\nRIFF is a word too.")

    assert probe(path).facts["segments"] == 2


def test_exif_orientation_swaps_sides(tmp_path):
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(path, exif=exif)

    assert (probe(path).facts["width"], probe(path).facts["height"]) == (20, 40)


def test_audio_with_cover_art_is_audio(tmp_path, media):
    cover = (media / "a.jpg").read_bytes()
    body = b"\0image/jpeg\0\x03\0" + cover
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = tmp_path / "cover.mp3"
    path.write_bytes(b"ID3\x03\0\0" + size + frame + (media / "a.mp3").read_bytes())

    assert probe(path).kind == "audio"


def test_streamed_wav_without_sizes_is_accepted(tmp_path, media):
    data = bytearray((media / "a.wav").read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path = tmp_path / "streamed.wav"
    path.write_bytes(data)

    assert probe(path).facts["duration_ms"] == probe(media / "a.wav").facts["duration_ms"]


@pytest.mark.parametrize("name", ["empty.png", "empty.mp4", "empty.txt", "empty"])
def test_an_empty_file_is_refused(tmp_path, name):
    (tmp_path / name).touch()

    with pytest.raises(MediaEmpty, match="no bytes"):
        probe(tmp_path / name)


def test_an_image_without_pixels_is_refused(tmp_path):
    gif = b"GIF89a" + struct.pack("<HH", 0, 0) + b"\0\0\0;"
    (tmp_path / "a.gif").write_bytes(gif)

    with pytest.raises(MediaRefused):
        probe(tmp_path / "a.gif")


def test_containers_without_frames_or_samples_are_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(
        b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
        + b"data\0\0\0\0"
    )  # fmt: skip
    ftyp = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    (tmp_path / "a.mp4").write_bytes(ftyp + struct.pack(">I4s", 8, b"moov"))

    with pytest.raises(MediaEmpty, match="sample"):
        probe(tmp_path / "a.wav")
    with pytest.raises(MediaRefused):
        probe(tmp_path / "a.mp4")


def test_a_bomb_is_refused_before_it_is_unfolded(tmp_path):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )

    with pytest.raises(MediaTooLarge, match="60,000x60,000"):
        probe(path)


def test_animated_images_count_all_their_frames(media):
    with pytest.raises(MediaTooLarge, match="frames"):
        probe(media / "moving.gif", limits=Limits(pixels=3 * 96 * 64))
    assert probe(media / "moving.gif", limits=Limits(pixels=4 * 96 * 64)).kind == "image"


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("a.mp4", Limits(pixels=95 * 64)),
        ("a.mp4", Limits(duration_ms=500)),
        ("a.mp4", Limits(frames=10)),
        ("moving.webp", Limits(frames=3)),
        ("a.wav", Limits(duration_ms=500)),
        ("a.webm", Limits(duration_ms=500)),
        ("a.wav", Limits(file_bytes=1000)),
        ("lines.txt", Limits(transcript_bytes=10)),
    ],
)
def test_limits_hold(media, name, limits):
    with pytest.raises(MediaTooLarge, match="limit"):
        probe(media / name, limits=limits)


def test_text_that_is_not_unicode_names_the_byte(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("Sch\u00f6n".encode("latin-1"))

    with pytest.raises(MediaUnreadable, match=r"not UTF-8: byte 3 \(f6\)"):
        probe(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_text_with_and_without_mark(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("Gr\u00fc\u00df Gott\r\n\u4f60\u597d".encode(encoding))

    assert probe(path).facts["segments"] == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"text": "a"', "malformed JSON"),
        ('{"text": NaN}', "NaN"),
        ("[" * 5000, "too deep|malformed"),
        ('{"a": 1}', "no member"),
        ('{"segments": [{"text": 1}]}', "/segments/0"),
        ('{"segments": [{"text": "a", "start": "1"}]}', "/segments/0/start"),
        ('{"segments": [{"text": "a", "start": -1}]}', "outside"),
        ('{"segments": [{"text": "a", "end": 1e400}]}', "outside"),
        ('{"segments": [{"text": "a", "speaker": []}]}', "/segments/0/speaker"),
        ('{"results": {"channels": 3}}', "/results/channels"),
        ('{"results": {"channels": [{"alternatives": [{"words": [1]}]}]}}', "/words/0"),
        ("3", "object or a list"),
    ],
)
def test_a_json_transcript_of_another_shape_says_where(tmp_path, text, says):
    path = tmp_path / "a.json"
    path.write_text(text)

    with pytest.raises(MediaUnreadable, match=says):
        probe(path)


def test_a_cue_without_its_time_names_the_line(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,250\nHello\n\n2\n00:00:01,500 --> 00:0\nHow\n")

    with pytest.raises(MediaUnreadable, match="line 6"):
        probe(path)


def test_every_missing_member_is_none_and_every_number_an_int(media):
    for path in sorted(media.iterdir()):
        found = probe(path)
        json.dumps(dict(found.facts))
        assert all(value is None or type(value) in {int, str, bool} for value in found.facts.values()), path
        assert next(iter(found.facts)) == "kind"


def test_a_name_replaces_the_path_in_errors(tmp_path):
    path = tmp_path / "upload-123"
    path.write_bytes(np.random.default_rng(0).bytes(100))

    with pytest.raises(MediaUnreadable, match=r"^holiday\.png: "):
        probe(path, name="holiday.png")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MediaUnreadable, match="No such file"):
        probe(tmp_path / "nothing.png")
