"""Files that tell how they were made: read, recorded as told and never as more."""

import json
import shutil
import struct
import sys
import zlib
from pathlib import Path

import msgspec
import pytest

from registry.erase import erase, plan_erasure
from registry.errors import CouldNotRun, InvalidValue
from registry.importing.files import Terms, import_files, read_file
from registry.importing.found import CredentialsBroken, CredentialsUnread, NoMetadata, UnreadableMetadata
from registry.manifest import DescriptionRef, Model, Provider
from registry.record import record
from registry.sealing import is_seal

A1111 = (
    "portrait of Ada Lovelace, oil on canvas\nNegative prompt: blurry, six fingers\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 18446744073709551615, Size: 48x32, "
    "Model hash: 6ce0161689, Model: v1-5-pruned, Denoising strength: 0.35, Version: v1.9.4"
)
GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 42,
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": 'a "glass" bottle', "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["4", 1]}},
}
INVOKE = {
    "positive_prompt": "a lighthouse",
    "negative_prompt": "boats",
    "seed": 7,
    "steps": 30,
    "cfg_scale": 7.5,
    "scheduler": "euler_a",
    "width": 48,
    "height": 32,
    "model": {"key": "k", "hash": "blake3:abcd", "name": "sdxl-base", "base": "sdxl", "type": "main"},
}
NOVEL = {
    "Description": "a fox in snow",
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4 37442FCA",
    "Comment": json.dumps(
        {"prompt": "a fox in snow", "steps": 28, "seed": 99, "scale": 5.5, "sampler": "k_euler", "uc": "two left hands"}
    ),
}
FOOOCUS = {
    "prompt": "a tin robot",
    "negative_prompt": "rust",
    "base_model": "juggernaut",
    "base_model_hash": "aeb7e9e689",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "123456789012345678",
    "steps": 30,
    "guidance_scale": 4.0,
    "sharpness": 2.0,
    "performance": "Speed",
    "version": "Fooocus v2.5.0",
}

EACH = {
    "automatic1111": {"parameters": A1111},
    "comfyui": {"prompt": json.dumps(GRAPH), "workflow": json.dumps({"nodes": [], "version": 0.4})},
    "invokeai": {"invokeai_metadata": json.dumps(INVOKE)},
    "novelai": NOVEL,
    "fooocus": {"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"},
}
TOLD = {
    "automatic1111": (
        "portrait of Ada Lovelace, oil on canvas",
        "blurry, six fingers",
        "18446744073709551615",
        "v1-5-pruned",
    ),
    "comfyui": ('a "glass" bottle', "watermark", "42", "sdxl.safetensors"),
    "invokeai": ("a lighthouse", "boats", "7", "sdxl-base"),
    "novelai": ("a fox in snow", "two left hands", "99", "NovelAI Diffusion V4"),
    "fooocus": ("a tin robot", "rust", "123456789012345678", "juggernaut"),
}


@pytest.fixture
def registry(local_registry):
    return local_registry


def chunk(kind, data):
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def one(registry, path, **terms):
    (found,) = import_files(registry, [path], Terms(**terms))
    return found


@pytest.mark.parametrize("tool", EACH)
def test_each_tools_file_is_recorded_as_it_tells(registry, png, tool):
    path = png(fields=EACH[tool])

    done = one(registry, path, workflow="archive", labels={"source": "studio"})

    manifest = registry.catalog.manifest(done.id)
    opened = {one.pointer: one.value for one in registry.vault.get(done.id)}
    prompt, negative, seed, model = TOLD[tool]
    assert (done.state, done.tool) == ("imported", tool)
    assert (manifest.provider.name, manifest.model.requested, manifest.seed.actual) == (tool, model, seed)
    assert (opened["/prompt/submitted"], opened["/settings/negative_prompt"]) == (prompt, negative)
    assert (manifest.context.workflow, manifest.labels) == ("archive", {"source": "studio"})
    assert (manifest.recorder.capture, manifest.recorder.confidence, manifest.model.pin) == (
        "import",
        "partial",
        "unknown",
    )
    assert manifest.request is None and manifest.operation == "image.generate"


@pytest.mark.parametrize("tool", EACH)
def test_the_raw_metadata_is_sealed_and_can_be_opened(registry, png, tool):
    done = one(registry, png(fields=EACH[tool]))

    body = registry.catalog.get(done.id).body.decode()
    raw = next(
        one.value for one in registry.vault.get(done.id) if one.pointer == "/extensions/org.mintmark.import/metadata"
    )
    assert {key: value for key, value in json.loads(raw).items() if key in EACH[tool]} == EACH[tool]
    for private in TOLD[tool][:2]:
        assert private not in body and json.dumps(private)[1:-1] not in body


def test_settings_keep_numbers_and_names_of_methods(registry, png):
    manifest = registry.catalog.manifest(one(registry, png(parameters=A1111)).id)

    settings = {name: value for name, value in manifest.settings.items() if not is_seal(value)}
    assert settings == {
        "sampler": "DPM++ 2M",
        "scheduler": "Karras",
        "cfg_scale": 7.5,
        "steps": 20,
        "width": 48,
        "height": 32,
        "denoising_strength": 0.35,
    }
    assert manifest.model.components == {"checkpoint_hash": "6ce0161689"}


def test_importing_again_under_another_name_adds_nothing(registry, png, tmp_path):
    path = png(parameters=A1111)
    first = one(registry, path)
    shutil.copy(path, tmp_path / "b.png")

    again, copy = one(registry, path, workflow="another"), one(registry, tmp_path / "b.png")

    assert (again.state, copy.state) == ("known", "known")
    assert again.id == copy.id == first.id
    assert registry.catalog.generations() == 1


def test_a_folder_is_read_to_the_bottom_without_what_is_hidden(registry, png, picture, tmp_path):
    png("in/a.png", parameters=A1111)
    png("in/deep/er/b.png", fields=EACH["novelai"])
    png("in/.hidden/c.png", fields=EACH["invokeai"])
    shutil.copy(picture("plain.png"), tmp_path / "in" / "plain.png")
    (tmp_path / "in" / "notes.txt").write_text("nothing about making")

    found = list(import_files(registry, [tmp_path / "in"], Terms()))

    told = {one.path.name: one.state for one in found}
    assert told == {"a.png": "imported", "b.png": "imported", "plain.png": "silent", "notes.txt": "silent"}


def test_what_is_refused_stops_nothing_else(registry, png, picture, tmp_path):
    paths = [
        picture("plain.png"),
        tmp_path / "missing.png",
        png(parameters=A1111),
        png("cut.png", parameters=A1111),
    ]
    paths[3].write_bytes(paths[3].read_bytes()[:-400])

    found = list(import_files(registry, paths, Terms()))

    assert [one.state for one in found] == ["refused", "refused", "imported", "refused"]
    assert "record" in found[0].why and "missing.png" in found[1].why and "truncated" in found[3].why
    assert registry.catalog.generations() == 1


def test_a_dry_run_says_the_same_and_records_nothing(registry, png):
    paths = [png(parameters=A1111), png("b.png", fields=EACH["fooocus"])]

    before = list(import_files(registry, paths, Terms(), dry_run=True))
    count = registry.catalog.generations()
    done = list(import_files(registry, paths, Terms()))
    after = list(import_files(registry, paths, Terms(), dry_run=True))

    assert count == 0
    assert [one.state for one in before] == [one.state for one in done] == ["imported", "imported"]
    assert [(one.state, one.id) for one in after] == [("known", one.id) for one in done]


def test_the_same_bytes_twice_in_one_dry_run_count_once(png, tmp_path):
    paths = [png(parameters=A1111), Path(shutil.copy(tmp_path / "a.png", tmp_path / "b.png"))]

    assert [one.state for one in import_files(None, paths, Terms(), dry_run=True)] == ["imported", "known"]


def test_a_dry_run_needs_no_registry(png):
    assert [one.state for one in import_files(None, [png(parameters=A1111)], Terms(), dry_run=True)] == ["imported"]


def test_erasing_the_prompt_takes_the_raw_metadata_with_it(registry, png):
    done = one(registry, png(fields=EACH["comfyui"]))

    erase(registry, plan_erasure(registry, done.id, fields=["prompt"], asset=True, reason="asked", authority="ticket"))

    left = {one.pointer for one in registry.vault.get(done.id)}
    assert not left & {"/prompt/submitted", "/extensions/org.mintmark.import/metadata"}


@pytest.mark.parametrize("prompt", ["data", "tool", "import", "mint", "label"])
def test_a_prompt_that_is_a_word_of_the_format_is_imported(registry, png, prompt):
    done = one(registry, png(parameters=A1111.replace("portrait of Ada Lovelace, oil on canvas", prompt)))

    assert done.state == "imported", done.why


COMMENTS = {
    "big-endian": b"UNICODE\0" + A1111.encode("utf-16-be"),
    "little-endian": b"UNICODE\0" + A1111.encode("utf-16-le"),
    "ascii": b"ASCII\0\0\0" + A1111.encode(),
    "undefined": b"\0" * 8 + A1111.encode(),
}


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
@pytest.mark.parametrize("coding", COMMENTS)
def test_a_user_comment_is_read_in_each_coding(jpeg, name, coding):
    found = read_file(jpeg(name, COMMENTS[coding]))

    assert (found.tool, found.prompt) == ("automatic1111", "portrait of Ada Lovelace, oil on canvas")


def test_comfyui_in_the_free_fields_of_a_webp(jpeg):
    found = read_file(jpeg("a.webp", tags={0x0110: f"prompt:{json.dumps(GRAPH)}", 0x010F: 'workflow:{"nodes":[]}'}))

    assert (found.tool, found.prompt, found.seed) == ("comfyui", 'a "glass" bottle', "42")


def test_parameters_inside_xmp(jpeg):
    text = A1111.replace("\n", "&#10;")
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/"><exif:UserComment><rdf:Alt><rdf:li>{text}</rdf:li>'
        "</rdf:Alt></exif:UserComment></rdf:Description></rdf:RDF></x:xmpmeta>"
    )

    assert read_file(jpeg("a.jpg", xmp=xmp.encode())).tool == "automatic1111"


def test_text_behind_the_picture_is_read(png, tmp_path):
    whole = png(parameters="x").read_bytes()
    late = chunk(b"iTXt", b"parameters\0\0\0\0\0" + A1111.encode())
    plain = whole.replace(chunk(b"tEXt", b"parameters\0x"), b"")
    end = plain.index(b"IEND") - 4
    (tmp_path / "late.png").write_bytes(plain[:end] + late + plain[end:])

    assert read_file(tmp_path / "late.png").seed == "18446744073709551615"


def test_two_files_read_one_after_the_other_keep_their_own_prompts(jpeg):
    """sd-parsers' own extractor remembers a picture by its id(), which the next one may be given."""
    paths = []
    for n in range(12):
        text = A1111.replace("Ada Lovelace", f"person {n}")
        paths.append(jpeg(f"{n}.jpg", b"UNICODE\0" + text.encode("utf-16-be")))

    prompts = [read_file(path).prompt for path in paths]

    assert prompts == [f"portrait of person {n}, oil on canvas" for n in range(12)]


def test_a_file_that_tells_nothing(picture):
    with pytest.raises(NoMetadata, match="mintmark record"):
        read_file(picture())


def test_credentials_are_verified_and_kept(registry, credentialed, png, tmp_path):
    signed = credentialed(png(), tmp_path / "signed.png", {"name": "gpt-image-2", "version": "3"})

    done = one(registry, signed)

    manifest = registry.catalog.manifest(done.id)
    told = manifest.extensions["org.mintmark.import"]
    assert (manifest.provider.name, manifest.model.requested) == ("picture-maker", "gpt-image-2 3")
    assert told["credentials"]["state"] == "Valid" and told["credentials"]["codes"] == ["signingCredential.untrusted"]
    assert told["credentials"]["source_type"] == "trainedAlgorithmicMedia"
    assert is_seal(told["metadata"])


def test_credentials_beside_a_generators_fields(credentialed, png, tmp_path):
    found = read_file(credentialed(png(parameters=A1111), tmp_path / "signed.png", "web ui"))

    assert (found.tool, found.seed, found.credentials["state"]) == ("automatic1111", "18446744073709551615", "Valid")


def test_altered_pixels_are_refused_with_the_code(registry, credentialed, png, tmp_path):
    signed = credentialed(png(), tmp_path / "signed.png", {"name": "gpt-image-2"})
    data = signed.read_bytes()
    at = data.index(b"IDAT") + 40
    signed.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])

    with pytest.raises(CredentialsBroken, match=r"assertion\.dataHash\.mismatch"):
        read_file(signed)


def test_without_the_reader_credentials_are_not_passed_over(registry, credentialed, png, tmp_path, monkeypatch):
    signed = credentialed(png(parameters=A1111), tmp_path / "signed.png", "web ui")
    monkeypatch.setitem(sys.modules, "c2pa", None)

    with pytest.raises(CredentialsUnread, match=r"mintmark\[c2pa\]"):
        read_file(signed)
    assert one(registry, signed).state == "refused"


def test_a_failing_disk_ends_the_import(registry, png, monkeypatch):
    shutil.rmtree(registry.home / "assets")
    (registry.home / "assets").write_text("in the way")

    with pytest.raises((CouldNotRun, OSError)):
        one(registry, png(parameters=A1111))


def test_the_public_examples_of_parameters(vectors):
    found = {path.name: read_file(path) for path in sorted(vectors("embedded-metadata").iterdir())}

    assert {name: one.tool for name, one in found.items()} == {
        "automatic1111.jpg": "automatic1111",
        "automatic1111.png": "automatic1111",
        "comfyui.png": "comfyui",
        "text_after_idat.png": "automatic1111",
    }
    assert {one.prompt for name, one in found.items() if name != "comfyui.png"} == {"photo of a duck"}
    assert found["comfyui.png"].seed == "280823642470253"


def test_the_public_examples_of_credentials(vectors):
    pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
    folder = vectors("c2pa")

    assert read_file(folder / "CA.jpg").credentials["state"] == "Valid"
    assert read_file(folder / "video1.mp4").credentials["state"] == "Valid"
    for name in ("XCA.jpg", "E-sig-CA.jpg", "CIE-sig-CA.jpg"):
        with pytest.raises(CredentialsBroken):
            read_file(folder / name)


def test_the_examples_of_a_healthy_file_cut_anywhere(vectors, tmp_path):
    whole = (vectors("embedded-metadata") / "comfyui.png").read_bytes()
    for length in range(0, len(whole), 97):
        path = tmp_path / "cut.png"
        path.write_bytes(whole[:length])
        try:
            read_file(path)
        except (NoMetadata, UnreadableMetadata):
            continue


def test_nobody_can_import_a_pin_or_a_description_that_is_not_shipped(registry, made, picture):
    path = picture()
    draft = made(path, capture="import", confidence="partial", operation="image.generate")
    claimed = msgspec.structs.replace(draft, model=Model(requested="gpt-image-2-2026-04-21", pin="snapshot"))
    described = Provider(name="openai", description=DescriptionRef(id="openai-images", sha256="0" * 64))

    assert record(registry, claimed, {str(path): path}).manifest.model.pin == "unknown"
    with pytest.raises(InvalidValue, match="description"):
        record(registry, msgspec.structs.replace(draft, provider=described), {str(path): path})
