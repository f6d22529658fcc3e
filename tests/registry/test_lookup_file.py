"""Look-up by file: the same bytes, the same content in another container, pictures that look alike."""

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from registry.erase import erase, plan_erasure
from registry.errors import InvalidValue
from registry.indexing import catch_up
from registry.lookup import answer_json
from registry.lookup_file import LEAST_QUALITY, LEAST_STABLE, NEAR, look_up_file
from registry.record import record
from registry.schema import validate


def kept(registry, made, *paths, **more):
    ids = [record(registry, made(path, **more), {str(path): path}).id for path in paths]
    catch_up(registry)
    return ids


def scene(path, seed, size=(320, 240)):
    """A picture with shapes of every size, the larger the stronger, as photographs have them."""
    random = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for cells in (3, 6, 12, 24, 48, 96):
        grid = Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8))
        total += (np.asarray(grid.resize(size, Image.Resampling.BICUBIC)) - 127.5) / cells**0.5
    Image.fromarray(np.clip(total * 0.8 + 127.5, 0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def registry(local_registry):
    """What a database adds to it (folding, uses) is in test_lookup.py; here it makes no difference."""
    return local_registry


@pytest.fixture
def gallery(registry, tmp_path, made):
    """Eight different scenes, recorded and indexed: path and id of each."""
    paths = [scene(tmp_path / f"scene-{n}.png", n) for n in range(8)]
    return list(zip(paths, kept(registry, made, *paths), strict=True))


def test_the_same_bytes_are_a_match(registry, gallery, tmp_path):
    path, manifest = gallery[3]
    copy = tmp_path / "renamed.dat"
    copy.write_bytes(path.read_bytes())

    answer = look_up_file(registry, copy)

    assert [(hit.manifest, hit.how, hit.sureness) for hit in answer.hits] == [(manifest, "bytes", "match")]


def as_level_1(image, path):
    image.save(path, compress_level=1)


def as_webp(image, path):
    image.save(path.with_suffix(".webp"), lossless=True)
    return path.with_suffix(".webp")


def as_bmp(image, path):
    image.save(path.with_suffix(".bmp"))
    return path.with_suffix(".bmp")


@pytest.mark.parametrize("change", [as_level_1, as_webp, as_bmp])
def test_the_same_pixels_in_other_bytes_are_a_match(registry, gallery, tmp_path, change):
    path, manifest = gallery[5]
    target = tmp_path / "changed.png"
    with Image.open(path) as image:
        changed = change(image, target) or target

    answer = look_up_file(registry, changed)

    assert changed.read_bytes() != path.read_bytes()
    assert [(hit.manifest, hit.how, hit.sureness) for hit in answer.hits] == [(manifest, "content", "match")]
    assert answer.exit_code == 0


def sound(path, samples, codec):
    """One second and a half of 16-bit mono."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16_000, layout="mono")
        stream.format = "s16"
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def test_the_same_samples_in_another_container_are_a_match(registry, tmp_path, made):
    time = np.arange(24_000) / 16_000
    samples = (np.sin(time * 440 * 6.283) * 9000 + np.sin(time * 1234 * 6.283) * 3000).astype(np.int16)
    wav = sound(tmp_path / "a.wav", samples, "pcm_s16le")
    (manifest,) = kept(registry, made, wav)

    answer = look_up_file(registry, sound(tmp_path / "a.flac", samples, "flac"))
    changed = look_up_file(registry, sound(tmp_path / "b.flac", samples + np.int16(1), "flac"))

    assert [(hit.manifest, hit.how) for hit in answer.hits] == [(manifest, "content")]
    assert changed.exit_code == 1 and "are not yet" in changed.notes[0]


def jpeg(image, path, quality=40):
    image.convert("RGB").save(path.with_suffix(".jpg"), quality=quality)
    return path.with_suffix(".jpg")


CHANGES = {
    "jpeg 40": lambda image: image,
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS),
    "twice the size": lambda image: image.resize((image.width * 2, image.height * 2)),
    "other proportions": lambda image: image.resize((256, 256)),
    "quarter turn": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "half turn": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "three quarters": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "transposed": lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    "grey": lambda image: image.convert("L"),
    "brighter": lambda image: image.point(lambda value: min(255, int(value * 1.1))),
}


def test_a_changed_copy_is_a_candidate_with_a_margin(registry, gallery, tmp_path):
    for name, change in CHANGES.items():
        for path, manifest in gallery[:2]:
            with Image.open(path) as image:
                copy = jpeg(change(image), tmp_path / "copy.jpg")

            answer = look_up_file(registry, copy)

            assert answer.exit_code == 4, name
            first = answer.hits[0]
            assert (first.manifest, first.how, first.sureness) == (manifest, "pdq", "candidate"), name
            assert 0 <= first.distance <= NEAR and first.margin >= 30, (name, first)
            assert f"{first.distance} of 256" in first.sentence and f"{first.margin} bits farther" in first.sentence
            validate("lookup/v1", answer_json(registry, answer))


def test_a_stranger_is_no_candidate(registry, gallery, tmp_path):
    for seed in range(100, 110):
        answer = look_up_file(registry, scene(tmp_path / "stranger.png", seed))

        assert answer.hits == [] and answer.exit_code == 1
        assert "8 generations, index complete" in answer.searched


def test_replays_are_folded_under_their_original(registry, gallery, tmp_path, made):
    path, manifest = gallery[0]
    with Image.open(path) as image:
        nearly = jpeg(image, tmp_path / "replay.jpg", quality=95)
        copy = jpeg(image.resize((200, 150)), tmp_path / "copy.jpg")
    kept(registry, made, nearly, replay_of=manifest)

    answer = look_up_file(registry, copy)

    assert [hit.manifest for hit in answer.hits] == [manifest]
    assert answer.hits[0].replays == 1
    assert answer.hits[0].margin >= 30, "a replay is no runner-up of its own original"


def test_two_variants_are_both_shown_with_a_small_margin(registry, tmp_path, made):
    path = scene(tmp_path / "a.png", 1)
    with Image.open(path) as image:
        variant = jpeg(image, tmp_path / "variant.jpg", quality=90)
        copy = jpeg(image, tmp_path / "copy.jpg", quality=35)
    ids = kept(registry, made, path, variant)

    answer = look_up_file(registry, copy)

    assert {hit.manifest for hit in answer.hits} == set(ids)
    assert answer.exit_code == 4 and answer.hits[0].margin <= NEAR


def test_a_file_recorded_many_times_is_one_asset(registry, gallery, tmp_path, made):
    path, _ = gallery[4]
    kept(registry, made, *[path] * 30, prompt="once more")
    with Image.open(path) as image:
        copy = jpeg(image, tmp_path / "copy.jpg")

    answer = look_up_file(registry, copy, limit=3)

    assert len(answer.hits) == 3
    assert all(hit.margin >= 30 for hit in answer.hits), "the next asset is another picture, not the same one again"


def plain_pictures():
    """Pictures whose hash says nothing: flat, a gradient, stripes, a checkerboard."""
    ramp = np.tile(np.linspace(0, 255, 256).astype(np.uint8), (256, 1))
    stripes = np.tile(np.where(np.arange(256) // 8 % 2, 255, 0).astype(np.uint8), (256, 1))
    board = (np.indices((256, 256)).sum(axis=0) // 16 % 2 * 255).astype(np.uint8)
    return {"flat": np.full((256, 256), 128, np.uint8), "black": np.zeros((256, 256), np.uint8), "ramp": ramp,
            "stripes": stripes, "board": board}  # fmt: skip


def test_flat_pictures_never_match_by_their_looks(registry, gallery, tmp_path, made):
    for name, pixels in plain_pictures().items():
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        kept(registry, made, path)
    weak = {p.manifest for p in registry.index.fingerprints() if p.quality < LEAST_QUALITY or p.stable < LEAST_STABLE}
    assert len(weak) >= 3

    for name, pixels in plain_pictures().items():
        copy = tmp_path / "copy.jpg"
        Image.fromarray(255 - pixels).resize((300, 200)).save(copy, quality=50)
        answer = look_up_file(registry, copy)
        assert not {hit.manifest for hit in answer.hits} & weak, name
        assert not [hit for hit in answer.hits if hit.sureness == "match"], name
        assert name not in ("flat", "black") or "too plain" in answer.notes[0]


def test_an_erased_asset_is_no_candidate_any_more(registry, gallery, tmp_path):
    path, manifest = gallery[2]
    erase(registry, plan_erasure(registry, manifest, fields=[], asset=True, reason="r", authority="a"))
    with Image.open(path) as image:
        copy = jpeg(image, tmp_path / "copy.jpg")

    assert look_up_file(registry, copy).exit_code == 1


def test_what_cannot_be_decoded_is_compared_by_bytes_and_says_so(registry, gallery, tmp_path):
    for name, content in {
        "a.bin": bytes(range(256)) * 40,
        "b.png": b"\x89PNG\r\n\x1a\n" + b"x" * 99,
        "c.txt": b"",
    }.items():
        (tmp_path / name).write_bytes(content)

        answer = look_up_file(registry, tmp_path / name)

        assert answer.exit_code == 1 and "only its bytes were compared" in answer.notes[0], name


def test_a_file_that_cannot_be_read_is_named(local_registry, tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(InvalidValue, match=path.name):
            look_up_file(local_registry, path)


def test_a_rebuilt_index_answers_the_same(registry, gallery, tmp_path):
    copies = []
    for n, (path, _) in enumerate(gallery):
        with Image.open(path) as image:
            copies.append(jpeg(ImageOps.mirror(image), tmp_path / f"copy-{n}.jpg"))
    before = [look_up_file(registry, copy).hits for copy in copies]

    registry.index.rebuild()
    catch_up(registry)

    assert [look_up_file(registry, copy).hits for copy in copies] == before
    assert all(before)


def test_an_asset_that_lies_just_as_near_is_told_in_words(registry, picture, made):
    path = picture(size=(256, 192))
    with Image.open(path) as image:
        image.putpixel((0, 0), (1, 2, 3))
        image.save(other := path.with_name("other.png"))
    kept(registry, made, path, other)

    answer = look_up_file(registry, picture("copy.jpg", size=(256, 192), quality=70))

    assert len(answer.hits) == 2
    assert all("another asset lies just as near" in hit.sentence for hit in answer.hits)
