"""The content digest: kept by containers and metadata, changed by any pixel, sample or word."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drift.media.audio import load_mono, stream_floats
from drift.media.content import content_digest, transcript_bytes
from drift.media.image import load_luma, load_rgb
from drift.media.probe import probe
from drift.media.segments import Segment, Transcript
from drift.media.video import frames, luma, planes


def test_lossless_image_containers_and_metadata_agree(make, tmp_path):
    image = Image.fromarray(make.picture())
    exif = Image.Exif()
    exif[0x010E] = "a description"
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.png", compress_level=1, exif=exif)
    image.save(tmp_path / "c.tiff")
    image.save(tmp_path / "d.bmp")
    image.save(tmp_path / "e.webp", lossless=True)
    image.convert("RGBA").save(tmp_path / "f.png")  # opaque everywhere

    assert len({content_digest(path) for path in sorted(tmp_path.iterdir())}) == 1


def test_exif_orientation_is_content(make, tmp_path):
    image = Image.fromarray(make.picture())
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    image.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "b.png")
    image.save(tmp_path / "c.png")

    digests = [content_digest(tmp_path / name) for name in ("a.png", "b.png", "c.png")]
    assert digests[0] == digests[1] != digests[2]


@settings(deadline=None, max_examples=25)
@given(x=st.integers(0, 95), y=st.integers(0, 63), channel=st.integers(0, 2))
def test_any_pixel_changes_it(make, tmp_path_factory, x, y, channel):
    folder = tmp_path_factory.mktemp("pixel")
    pixels = make.picture()
    Image.fromarray(pixels).save(folder / "a.png")
    pixels[y, x, channel] ^= 1
    Image.fromarray(pixels).save(folder / "b.png")

    assert content_digest(folder / "a.png") != content_digest(folder / "b.png")


def test_a_palette_is_how_not_what(make, tmp_path):
    paletted = Image.fromarray(make.picture()).quantize(64)
    paletted.save(tmp_path / "a.png")
    paletted.convert("RGB").save(tmp_path / "b.png")
    paletted.save(tmp_path / "c.gif")

    assert len({content_digest(path) for path in sorted(tmp_path.iterdir())}) == 1


def test_frames_and_durations_of_an_animation_count(make, tmp_path):
    pages = [Image.fromarray(make.picture(shift=4 * n)) for n in range(3)]
    for name, count, duration in (("a.webp", 3, 80), ("b.png", 3, 80), ("c.webp", 2, 80), ("d.webp", 3, 90)):
        lossless = {"lossless": True} if name.endswith("webp") else {}
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:count], duration=duration, **lossless)
    a, b, c, d = (content_digest(path) for path in sorted(tmp_path.iterdir()))

    assert a == b and len({a, c, d}) == 3


@pytest.mark.parametrize("rate", [25, Fraction(30_000, 1_001), Fraction(24_000, 1_001), Fraction(60_000, 1_001), 12])
def test_a_remuxed_video_keeps_it(make, tmp_path, rate):
    pictures = [make.picture(shift=3 * n) for n in range(20)]
    source = make.video(tmp_path / "a.mp4", pictures, rate=rate)
    for name in ("b.mkv", "c.mov"):
        make.remux(source, tmp_path / name)

    assert content_digest(tmp_path / "b.mkv") == content_digest(source) == content_digest(tmp_path / "c.mov")


@pytest.mark.parametrize(("source", "target"), [("a.mp4", "b.mov"), ("a.flac", "b.mka"), ("a.aac", "b.m4a")])
def test_a_remuxed_sound_track_keeps_it(make, media, tmp_path, source, target):
    make.remux(media / source, tmp_path / target, container="matroska" if target == "b.mka" else None)

    assert content_digest(tmp_path / target) == content_digest(media / source)


def test_every_frame_counts(make, tmp_path):
    pictures = [make.picture(shift=3 * n) for n in range(20)]
    make.video(tmp_path / "a.mkv", pictures, codec="ffv1")
    make.video(tmp_path / "b.mkv", pictures[:-1], codec="ffv1")
    changed = [*pictures[:-1], 255 - pictures[-1]]
    make.video(tmp_path / "c.mkv", changed, codec="ffv1")
    make.video(tmp_path / "d.mkv", pictures, codec="ffv1", rate=30)
    make.video(tmp_path / "e.mkv", pictures, codec="ffv1", sound="flac")

    assert len({content_digest(path) for path in sorted(tmp_path.iterdir())}) == 5


def test_lossless_audio_encodings_agree(make, tmp_path):
    samples = make.tone()
    make.audio(tmp_path / "a.wav", samples)
    make.audio(tmp_path / "b.flac", samples, codec="flac")
    make.audio(tmp_path / "c.mkv", samples, codec="pcm_s16be")

    assert len({content_digest(path) for path in sorted(tmp_path.iterdir())}) == 1


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le", "libopus"])
def test_eight_channels_are_read_whole(make, tmp_path, codec):
    channels = np.stack([make.tone(0.5, 48_000, seed) * (0.2 + 0.1 * seed) for seed in range(8)], axis=1)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=48_000, layout="7.1")
        packed = np.ascontiguousarray(channels * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="7.1")
        frame.sample_rate = 48_000
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.format.name, "7.1", 48_000, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode())

    found = probe(path)
    read = np.concatenate([samples for samples, _, _ in stream_floats(path)])

    assert found.facts["channels"] == 8 and read.shape[1] == 8
    loud = np.sqrt((read**2).mean(axis=0))
    if codec == "pcm_s16le":
        assert np.abs(read[: len(channels)] - channels[: len(read)]).max() < 1e-4
    assert np.argsort(loud)[-1] == 7 or codec == "aac"
    assert len(load_mono(path, rate=16_000, seconds=9)) == pytest.approx(8_000, abs=800)
    assert content_digest(path) == content_digest(path, found)


def test_any_sample_and_the_rate_change_it(make, tmp_path):
    samples = make.tone()
    make.audio(tmp_path / "a.wav", samples)
    make.audio(tmp_path / "b.wav", samples, 22_050)
    changed = samples.copy()
    changed[777] += 2 / 32767
    make.audio(tmp_path / "c.wav", changed)

    assert len({content_digest(path) for path in sorted(tmp_path.iterdir())}) == 3


def test_transcript_forms_and_speaker_names_are_not_content(tmp_path, media):
    renamed = (media / "openai.json").read_text().replace('"A"', '"speaker_0"').replace('"B"', '"speaker_1"')
    (tmp_path / "a.json").write_text(renamed)

    assert content_digest(tmp_path / "a.json") == content_digest(media / "openai.json")
    assert content_digest(media / "cues.vtt") == content_digest(media / "openai.json")
    assert content_digest(media / "cues.srt") != content_digest(media / "openai.json")  # it has no speakers


def test_transcript_bytes_are_as_documented():
    segments = (Segment("cafe\u0301  x\n", "B", 0, 10), Segment("y", "A"), Segment("z", "B", 11, 12))
    expected = ['["caf\u00e9 x",0,0,10]', '["y",1,null,null]', '["z",0,11,12]']

    assert transcript_bytes(Transcript("text/plain", None, segments)).decode() == "\n".join(["transcript", *expected])
    assert all(isinstance(json.loads(line), list) for line in expected)


def test_rgb_is_what_a_white_page_shows(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    pixels[1, 1] = (0, 0, 0, 128)
    Image.fromarray(pixels).save(tmp_path / "a.png")

    shown = load_rgb(tmp_path / "a.png")

    assert shown[0, 0].tolist() == [10, 20, 30] and shown[0, 1].tolist() == [255] * 3
    assert abs(int(shown[1, 1, 0]) - 127) <= 1


def test_deep_grey_is_scaled_not_clipped(tmp_path):
    Image.fromarray(np.array([[0, 257 * 100], [257 * 200, 65_535]], np.uint16)).save(tmp_path / "a.png")

    assert load_rgb(tmp_path / "a.png")[..., 0].tolist() == [[0, 100], [200, 255]]


def test_jpeg_luma_is_that_of_its_pixels(media):
    rgb = load_rgb(media / "a.jpg").astype(float)
    weighed = rgb @ [0.299, 0.587, 0.114]

    assert np.abs(load_luma(media / "a.jpg") - weighed).mean() < 1


def test_luma_planes_are_read_without_their_padding(media):
    frame = next(frames(media / "a.mp4"))
    converted = frame.reformat(format="gray", dst_color_range="MPEG", src_color_range="MPEG").to_ndarray()

    assert luma(frame).shape == (64, 96)
    assert np.array_equal(luma(frame), frame.to_ndarray()[:64])
    assert np.abs(converted.astype(int) - luma(frame)).max() <= 20  # same picture, other range
    assert [plane.shape for plane in planes(frame)[1]] == [(64, 96), (32, 48), (32, 48)]


@pytest.mark.parametrize("form", ["rgb24", "gray", "nv12", "yuv420p10le", "yuv444p", "monow", "rgb565le", "rgba"])
def test_planes_of_many_pixel_formats_hold_exactly_the_pixels(make, form):
    frame = av.VideoFrame.from_ndarray(make.picture(50, 30), format="rgb24").reformat(format=form)

    name, rows = planes(frame)

    sizes = {"nv12": 50 * 30 * 3 // 2, "gray": 1500, "yuv420p10le": 4500, "yuv444p": 4500, "rgba": 6000}
    assert sum(plane.size for plane in rows) == sizes.get(form, 4500)
    assert name == (form if form in {*sizes, "rgb24"} else "rgb24")
