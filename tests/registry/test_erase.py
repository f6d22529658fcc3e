"""What an erasure owes, on both databases: nothing of the value stays, and everything still verifies."""

import base64
import json
import zlib

import msgspec
import pytest
from PIL import Image, PngImagePlugin

from registry.cli import run
from registry.drafting import Draft, Incoming
from registry.erase import AssetInUse, NothingToErase, ResiduePending, ValueInAsset, erase, finish, plan_erasure
from registry.errors import NotFound
from registry.export.selecting import export_selection
from registry.indexing import catch_up
from registry.keys import trust_lines
from registry.log.checkpoint import VerifierKey
from registry.lookup import look_up_text
from registry.lookup_file import look_up_file
from registry.manifest import Context, Model, Outcome, Prompt, Provider, Request
from registry.record import record
from registry.show import view
from registry.verbatim import read_body
from registry.verify.bundle import verify

PROMPT = 'Łódź "Wierzbatka" Kwiatuszkowo\tby night'
WORD = "Kwiatuszkowo"
WHY = {"reason": "the person asked", "authority": "ticket 12"}


def forms(text):
    """How bytes on disk may carry a text: plain, lower-cased, in JSON, UTF-16, base64 at each of its three offsets."""
    for value in {text, text.lower(), text.casefold()}:
        yield value.encode()
        yield json.dumps(value)[1:-1].encode()
        yield json.dumps(value, ensure_ascii=False)[1:-1].encode()
        yield value.encode("utf-16-le")
        yield value.encode("utf-16-be")
        for pad in range(3):
            encoded = base64.b64encode(b"\0" * pad + value.encode())
            # the first and last group mix with what stands beside the text
            inner = encoded[4 if pad else 0 : len(encoded) - 4]
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


def residue(home, text):
    """Files that hold a text in any of these forms."""
    needles = list(forms(text))
    found = []
    for file in sorted(home.rglob("*")):
        if file.is_file():
            data = file.read_bytes()
            if any(needle in data or needle in data.lower() for needle in needles):
                found.append(file.name)
    return found


def words_of(registry):
    """Every row of every table of both databases, as text: what SQL can still see."""
    seen = []
    for database in (registry.catalog.database, registry.vault.database):
        with database.reading() as connection:
            tables = (
                "SELECT name FROM sqlite_master WHERE type = 'table'"
                if database.is_sqlite
                else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
            for name in list(connection.exec_driver_sql(tables).scalars()):
                for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"'):
                    seen += [
                        bytes(cell) if isinstance(cell, memoryview | bytes) else str(cell).encode() for cell in row
                    ]
    return b"\n".join(seen)


@pytest.fixture
def family(registry, picture, made):
    """A generation whose prompt stands in four places, its replay, and a stranger; all of them indexed."""
    body = read_body(json.dumps({"prompt": PROMPT, "n": 1}).encode())
    request = Request(origin="captured", method="POST", path="/v1/images", body=body)
    a, b, c = picture("a.png", seed=1), picture("b.png", seed=2), picture("c.png", seed=3)
    draft = made(a, prompt=PROMPT, request=request, labels={"app": "x"}, settings={"as": f"like {PROMPT}"})
    first = record(registry, draft, {str(a): a})
    again = made(b, prompt=PROMPT, request=request, replay_of=first.id)
    replay = record(registry, again, {str(b): b})
    stranger = record(registry, made(c, prompt="a quiet harbour"), {str(c): c})
    catch_up(registry)
    return first.id, replay.id, stranger.id


def erased(registry, manifest, *fields, **how):
    plan = plan_erasure(registry, manifest, fields=fields, **WHY, **how)
    return erase(registry, plan)


def test_no_file_holds_an_erased_prompt_in_any_form(registry, family):
    first, replay, _ = family
    assert residue(registry.home, WORD), "a search that finds nothing before proves nothing after"

    erased(registry, first, "prompt")

    assert residue(registry.home, PROMPT) == []
    assert residue(registry.home, WORD) == []
    for form in (WORD.encode(), WORD.lower().encode()):
        assert form not in words_of(registry)
    assert look_up_text(registry, WORD).hits == []
    for manifest in (first, replay):
        states = view(registry, manifest).state
        sealed = [pointer for pointer in states if pointer.startswith(("/prompt", "/request", "/settings"))]
        assert len(sealed) >= 2
        assert {states[pointer] for pointer in sealed} == {"erased"}


def test_what_others_said_stays(registry, family):
    _, _, stranger = family

    erased(registry, family[0], "prompt")

    assert [hit.manifest for hit in look_up_text(registry, "quiet harbour").hits] == [stranger]
    assert view(registry, stranger).disclosed["prompt"]["submitted"] == "a quiet harbour"


def test_a_subject_and_an_error_are_erased_alone(registry):
    draft = Draft(
        provider=Provider(name="p"),
        model=Model(requested="m"),
        operation="image.generate",
        prompt=Prompt(submitted="a lamp"),
        context=Context(subject="customer-Wojciechowska"),
        outcome=Outcome(class_="failed", state="failed", error="quota of Wojciechowska is spent"),
    )
    done = record(registry, draft, {})
    catch_up(registry)

    erased(registry, done.id, "subject")
    assert b"customer-Wojciechowska" not in words_of(registry)
    assert view(registry, done.id).disclosed["prompt"]["submitted"] == "a lamp"
    erased(registry, done.id, "error")

    assert residue(registry.home, "Wojciechowska") == []
    assert {view(registry, done.id).state[p] for p in ("/context/subject", "/outcome/error")} == {"erased"}


def test_bytes_go_with_asset(registry, family):
    first, _, _ = family
    output = registry.catalog.manifest(first).outputs[0]
    path = registry.assets.file(output.digest["blake3"])
    copy = registry.home.parent / "a.png"
    assert look_up_file(registry, copy).hits

    erased(registry, first, asset=True)

    assert not path.exists()
    assert view(registry, first).disclosed["prompt"]["submitted"] == PROMPT
    changed = registry.home.parent / "changed.png"
    with Image.open(copy) as image:
        image.save(changed, compress_level=1)
    assert look_up_file(registry, changed).hits == [], "what its pictures looked like is forgotten, too"


def test_an_asset_that_others_use_is_refused_without_all_references(registry, picture, made):
    path = picture()
    first = record(registry, made(path), {str(path): path})
    record(registry, made(path, prompt="another prompt"), {str(path): path})

    with pytest.raises(AssetInUse, match="--all-references"):
        plan_erasure(registry, first.id, fields=[], asset=True, **WHY)

    erased(registry, first.id, asset=True, all_references=True)
    assert list(registry.assets.names()) == []


def test_a_sealed_asset_that_others_use_is_refused_even_before_anything_is_indexed(registry, tmp_path, made):
    path = tmp_path / "meeting.txt"
    path.write_text("we ship forty crates on Monday " * 50)
    first = record(registry, made(path), {str(path): path})
    record(registry, made(path, prompt="another prompt"), {str(path): path})

    with pytest.raises(AssetInUse):
        plan_erasure(registry, first.id, fields=[], asset=True, **WHY)


def with_text(path, **chunks):
    """A picture whose PNG chunks carry texts."""
    info = PngImagePlugin.PngInfo()
    for key, (text, packed) in chunks.items():
        (info.add_itxt if any(ord(c) > 255 for c in text) else info.add_text)(key, text, zip=packed)
    with Image.open(path) as image:
        image.save(path, pnginfo=info)
    return path


def with_exif(path):
    with Image.open(path) as image:
        exif = image.getexif()
        exif[0x9C9C] = PROMPT.encode("utf-16-le")  # XPComment
        image.convert("RGB").save(path.with_suffix(".jpg"), exif=exif, quality=92)
    return path.with_suffix(".jpg")


CARRIERS = {
    "text": lambda path: with_text(path, parameters=(PROMPT, False)),
    "packed text": lambda path: with_text(path, parameters=(PROMPT, True)),
    "JSON in packed text": lambda path: with_text(path, workflow=(json.dumps({"nodes": [{"text": PROMPT}]}), True)),
    "JSON in text": lambda path: with_text(path, workflow=(json.dumps({"nodes": [{"text": PROMPT}]}), False)),
    "EXIF in UTF-16": with_exif,
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_a_value_in_a_kept_file_is_refused_without_asset(local_registry, picture, made, carrier):
    path = carrier(picture("carrier.png"))
    done = record(local_registry, made(path, prompt=PROMPT), {str(path): path})

    with pytest.raises(ValueInAsset, match="--asset"):
        plan_erasure(local_registry, done.id, fields=["prompt"], **WHY)

    erased(local_registry, done.id, "prompt", asset=True)
    assert residue(local_registry.home, WORD) == []


def test_a_damaged_packed_text_neither_stops_nor_hides(local_registry, picture, made):
    path = picture("carrier.png")
    data = path.read_bytes()
    packed = b"parameters\0\0" + zlib.compress(PROMPT.encode())[:-4] + b"\0\0\0\0"
    chunk = len(packed).to_bytes(4, "big") + b"zTXt" + packed + zlib.crc32(b"zTXt" + packed).to_bytes(4, "big")
    path.write_bytes(data[:33] + chunk + data[33:])
    done = record(local_registry, made(path, prompt=PROMPT), {str(path): path})

    with pytest.raises(ValueInAsset):
        plan_erasure(local_registry, done.id, fields=["prompt"], **WHY)


@pytest.mark.parametrize("how", [{"fields": ["prompt"]}, {"fields": [], "asset": True}])
def test_what_is_erased_already_is_not_erased_again(registry, family, how):
    first = family[0]
    erase(registry, plan_erasure(registry, first, **how, **WHY))

    with pytest.raises(NothingToErase):
        plan_erasure(registry, first, **how, **WHY)

    assert len(registry.catalog.about(first, "erasure")) == 1


def test_a_plan_changes_nothing(registry, family):
    plan = plan_erasure(registry, family[0], fields=["prompt"], **WHY)

    assert [subject["id"] for subject in plan.subjects] == list(family[:2])
    assert view(registry, family[0]).disclosed["prompt"]["submitted"] == PROMPT
    assert registry.catalog.about(family[0], "erasure") == []


def test_a_generation_that_is_not_here_is_not_found(registry):
    with pytest.raises(NotFound):
        plan_erasure(registry, "sha256:" + "0" * 64, fields=["prompt"], **WHY)


@pytest.mark.parametrize("disclose", [["all"], []])
def test_a_bundle_after_an_erasure_verifies_and_says_erased(registry, family, disclose):
    erased(registry, family[0], "prompt", asset=True)
    target = registry.home.parent / "audit.zip"

    export_selection(registry, target, [], words="all", disclose=disclose, everything=True)

    report = verify(target, trust=[VerifierKey.parse(line) for line in trust_lines(registry.snapshot)])
    assert report.exit_code == 0, [layer for layer in report.layers if layer.state != "ok"]
    assert "erased" in report.layer("disclosures").sentence
    assert WORD.encode() not in target.read_bytes()


def test_a_seal_without_value_and_without_record_is_missing_never_erased(registry, family):
    registry.vault.erase([(family[0], "/prompt/submitted")])
    target = registry.home.parent / "audit.zip"

    export_selection(registry, target, [], words="all", disclose=["all"], everything=True)

    trust = [VerifierKey.parse(line) for line in trust_lines(registry.snapshot)]
    assert verify(target, trust=trust).exit_code == 4
    assert view(registry, family[0]).state["/prompt/submitted"] == "missing"


def test_the_erasure_record_says_what_went_and_not_what_it_was(registry, family):
    done = erased(registry, family[0], "prompt")

    value = json.loads(registry.catalog.get(done).body)
    assert [subject["id"] for subject in value["subjects"]] == list(family[:2])
    assert WORD not in json.dumps(value, ensure_ascii=False)
    assert "the person asked" not in json.dumps(value)
    assert value["authority"] == "ticket 12"
    assert [found.value for found in registry.vault.get(done)] == ["the person asked"]


def test_a_reader_that_holds_old_pages_is_told_of_and_resumed(local_registry, picture, made, monkeypatch):
    monkeypatch.setattr("registry.erase._PATIENCE", 0.3)
    path = picture()
    done = record(local_registry, made(path, prompt=PROMPT), {str(path): path})
    catch_up(local_registry)
    with local_registry.vault.database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM disclosure").scalar()

        with pytest.raises(ResiduePending, match=r"vault\.db.*erase --finish"):
            erased(local_registry, done.id, "prompt")

    assert len(local_registry.catalog.about(done.id, "erasure")) == 1
    assert finish(local_registry) == 1
    assert residue(local_registry.home, WORD) == []
    assert len(local_registry.catalog.about(done.id, "erasure")) == 1


def test_the_records_are_made_again_without_the_value(registry, family):
    erased(registry, family[0], "prompt")

    registry.index.rebuild()
    catch_up(registry)

    assert residue(registry.home, WORD) == []
    assert [hit.manifest for hit in look_up_file(registry, registry.home.parent / "a.png").hits] == [family[0]]


def test_values_of_one_letter_do_not_erase_half_the_registry(registry, picture, made):
    path = picture()
    done = record(registry, made(path, prompt="a", settings={"note": "a cat and a dog"}), {str(path): path})

    plan = plan_erasure(registry, done.id, fields=["prompt"], **WHY)

    assert plan.places == [(done.id, "/prompt/submitted")]


# --- through the program


def made_here(capsys):
    assert run(["generate", "--provider", "procedural", "--model", "procedural-image@1", "--prompt", PROMPT,
                "--seed", "7", "--setting", "width=64", "--setting", "height=64"]) == 0  # fmt: skip
    return capsys.readouterr().out.strip()


def test_the_program_erases_tells_and_refuses_to_replay(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    manifest = made_here(capsys)
    assert run(["replay", manifest]) in (0, 4)
    erase_it = ["erase", manifest, "--field", "prompt", "--reason", "asked", "--authority", "me"]
    assert run([*erase_it, "--plan"]) == 0
    assert "would erase" in capsys.readouterr().out

    assert run(erase_it) == 0
    assert run(["replay", manifest]) == 4

    said = capsys.readouterr()
    assert "not-replayable (erased)" in said.out
    assert WORD not in said.out + said.err
    assert run(erase_it) == 1
    assert "no erasable value" in capsys.readouterr().err
    assert run(["show", manifest]) == 0
    assert "[erased]" in capsys.readouterr().out
    assert residue(tmp_path / ".mintmark", WORD) == []


def test_the_program_reads_an_erasure_as_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    manifest = made_here(capsys)

    assert run(["erase", manifest, "--asset", "--reason", "r", "--authority", "a", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert run(["erase", "--finish", "--json"]) == 0

    assert told["subjects"][0]["id"] == manifest
    assert json.loads(capsys.readouterr().out) == {"completed": 0}


@pytest.mark.parametrize(
    "arguments",
    [[], ["--field", "prompt"], ["@last"], ["@last", "--field", "prompt"], ["@last", "--asset", "--reason", "r"]],
)
def test_an_erasure_without_all_it_needs_is_a_usage_error(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)

    assert run(["erase", *arguments]) == 2


def test_an_input_that_holds_the_prompt_goes_with_asset_and_stops_without(registry, picture, tmp_path, made):
    script, path = tmp_path / "script.txt", picture()
    script.write_text("the secret line that was spoken " * 40)
    draft = msgspec.structs.replace(
        made(path, prompt="the secret line"), inputs=[Incoming(file=str(script), role="script")]
    )
    one = record(registry, draft, {str(path): path, str(script): script}).id

    with pytest.raises(ValueInAsset):
        plan_erasure(registry, one, fields=["prompt"], reason="r", authority="a")
    plan = plan_erasure(registry, one, fields=["prompt"], asset=True, reason="r", authority="a")
    erase(registry, plan)

    assert list(registry.assets.names()) == []
    assert plan.subjects[0]["inputs"] == [0] and plan.subjects[0]["outputs"] == [0]


def test_bytes_that_somebody_recorded_since_the_plan_stay(registry, picture, made):
    path = picture(size=(128, 128))
    one = record(registry, made(path), {str(path): path}).id
    plan = plan_erasure(registry, one, fields=["prompt"], asset=True, reason="r", authority="a")
    other = record(registry, made(path, prompt="another"), {str(path): path})

    erase(registry, plan)

    assert other.manifest.outputs[0].digest["blake3"] in registry.assets
