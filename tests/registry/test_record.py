"""What recording owes, on both databases."""

import json
from importlib import resources

import jsonschema
import msgspec
import pytest

from drift.errors import MediaEmpty, MediaTooLarge, MediaUnreadable
from registry.canonical import canonical, parse
from registry.drafting import Draft, Incoming, read_draft
from registry.errors import ExchangeConflict, InvalidValue, SchemaMismatch
from registry.home import create
from registry.manifest import (
    Context,
    Cost,
    DescriptionRef,
    Manifest,
    Model,
    Outcome,
    Prompt,
    Provider,
    Request,
    Seed,
    id_of,
)
from registry.record import record
from registry.sealing import commitment, disclose, is_seal, seals_in
from registry.settings import Settings
from registry.verbatim import read_body

PROMPT = "Portrait of Ada Lovelace, oil on canvas"


def test_a_recorded_picture_is_found_with_its_facts_and_bytes(registry, picture, made):
    path = picture(size=(90, 60))

    recorded = record(registry, made(path), {str(path): path})

    stored = registry.catalog.get(recorded.id)
    output = recorded.manifest.outputs[0]
    assert id_of(stored.body) == recorded.id
    assert output.media == {"kind": "image", "width": 90, "height": 60, "mode": "RGB"}
    assert registry.assets.open(output.digest["blake3"]).read() == path.read_bytes()


def test_a_manifest_round_trips_to_the_very_bytes(registry, picture, made):
    path = picture()
    recorded = record(registry, made(path), {str(path): path})

    body = registry.catalog.get(recorded.id).body

    assert canonical(Manifest.parse(body).to_json()) == body
    assert canonical(Manifest.trusted(body).to_json()) == body


def test_every_record_is_signed_and_logged_once(registry, picture, made):
    path = picture()
    recorded = record(registry, made(path), {str(path): path})

    with registry.catalog.database.reading() as connection:
        index = registry.log.index_of(connection, recorded.id)
        leaf = registry.log.entry(connection, index)
        assert registry.log.size(connection) == 2

    assert (leaf.kind, leaf.id, leaf.keys) == ("generation", recorded.id, 0)


def test_the_same_exchange_and_draft_answer_with_the_stored_manifest(registry, picture, made):
    path = picture()
    draft = made(path, exchange_id="exchange-0001")
    first = record(registry, draft, {str(path): path})

    again = record(registry, draft, {str(path): path})

    assert (again.id, again.new) == (first.id, False)
    assert registry.catalog.generations() == 1


@pytest.mark.parametrize("change", ["prompt", "file", "label"])
def test_another_draft_under_the_same_exchange_is_refused(registry, picture, made, change):
    path, other = picture("a.png", seed=1), picture("b.png", seed=2)
    record(registry, made(path, exchange_id="exchange-0001"), {str(path): path})
    drafts = {
        "prompt": made(path, exchange_id="exchange-0001", prompt="something else"),
        "file": made(other, exchange_id="exchange-0001"),
        "label": made(path, exchange_id="exchange-0001", labels={"app": "x"}),
    }

    with pytest.raises(ExchangeConflict):
        record(registry, drafts[change], {str(path): path, str(other): other})

    assert registry.catalog.generations() == 1


def test_a_failed_call_is_recorded_without_a_file(registry):
    draft = Draft(
        provider=Provider(name="openai"),
        model=Model(requested="gpt-image-2-2026-04-21"),
        operation="image.generate",
        prompt=Prompt(submitted=PROMPT),
        outcome=Outcome(class_="blocked", state="failed", safety="refused", error=f"refused: {PROMPT}"),
    )

    recorded = record(registry, draft, {})

    assert recorded.manifest.outputs == []
    assert is_seal(recorded.manifest.to_json()["outcome"]["error"])


def test_a_success_without_outputs_is_refused(registry):
    draft = Draft(provider=Provider(name="openai"), model=Model(requested="m"), operation="image.generate")

    with pytest.raises(InvalidValue, match="name at least one file"):
        record(registry, draft, {})


def test_private_values_lie_in_the_vault_only(local_registry, picture, made):
    path = picture()
    draft = made(
        path,
        prompt=PROMPT,
        context=Context(subject="customer-8841", workflow=f"hero for {PROMPT}"),
        settings={"style": "oil", "note": f"as in: {PROMPT}", "nested": {"deep": [PROMPT]}},
        labels={"app": "storefront", "who": "customer-8841"},
        extensions={"com.example": {"copy": PROMPT}},
    )

    recorded = record(local_registry, draft, {str(path): path})

    value = recorded.manifest.to_json()
    assert value["labels"]["app"] == "storefront"
    assert value["settings"]["style"] == "oil"
    local_registry.close()
    for file in local_registry.home.rglob("*"):
        if file.is_file() and not file.name.startswith("vault.db"):
            assert PROMPT.encode() not in file.read_bytes(), file
            assert b"customer-8841" not in file.read_bytes(), file


def test_each_seal_opens_with_its_disclosure_and_only_at_its_place(registry, picture, made):
    path = picture()
    recorded = record(registry, made(path, prompt=PROMPT, settings={"copy": PROMPT}), {str(path): path})
    value = recorded.manifest.to_json()

    disclosures = registry.vault.get(recorded.id)

    seals = seals_in(value)
    assert {found.pointer: found.commitment() for found in disclosures} == seals
    assert disclose(value, disclosures)["prompt"]["submitted"] == PROMPT
    assert len(set(seals.values())) == len(seals), "equal values must not give equal seals"
    elsewhere = [commitment(found.salt, "/settings/copy", found.value) for found in disclosures]
    assert seals["/prompt/submitted"] not in elsewhere


def test_a_transcript_digest_and_a_small_file_are_sealed(registry, picture, tmp_path, made):
    transcript, tiny = tmp_path / "t.txt", picture("tiny.png", size=(4, 4))
    transcript.write_text("it was a dark and stormy night " * 100)

    recorded = record(registry, made(transcript, tiny), {str(transcript): transcript, str(tiny): tiny})

    assert tiny.stat().st_size < 1024
    assert [is_seal(output.digest) for output in recorded.manifest.outputs] == [True, True]


def test_request_strings_are_sealed_and_numbers_keep_their_digits(registry, picture, made):
    path = picture()
    body = read_body(b'{"prompt":"%s","n":1,"cfg":7.50,"seed":12345678901234567890,"$ref":"x"}' % PROMPT.encode())
    request = Request(origin="captured", method="POST", path="/v1/images", bytes=99, body=body, query=[["k", "secret"]])

    recorded = record(registry, made(path, prompt=PROMPT, request=request), {str(path): path})

    stored = recorded.manifest.to_json()["request"]
    assert stored["body"]["cfg"] == {"$num": "7.50"}
    assert stored["body"]["seed"] == {"$num": "12345678901234567890"}
    assert is_seal(stored["body"]["prompt"]) and is_seal(stored["body"]["$$ref"]) and is_seal(stored["query"][0][1])
    opened = disclose(recorded.manifest.to_json(), registry.vault.get(recorded.id))["request"]
    assert opened["body"] == body


def test_a_prompt_that_is_a_word_of_the_format_stops_nothing(registry, picture, made):
    path = picture()
    request = Request(
        origin="captured", method="POST", path="/v1/quality", body={"quality": "quality"}, query=[["quality", "1"]]
    )

    recorded = record(
        registry, made(path, prompt="quality", request=request, settings={"quality": "high"}), {str(path): path}
    )

    assert recorded.manifest.settings == {"quality": "high"}


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("bad.png", b"", MediaEmpty),
        ("bad.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, MediaUnreadable),
        ("bad.mp4", bytes(range(256)) * 8, MediaUnreadable),
        ("bad.txt", b"caf\xe9", MediaUnreadable),
        ("bad.json", b'{"segments":[{"text":"a","text":"b"}]}', MediaUnreadable),
    ],
    ids=["empty", "truncated", "garbage", "latin-1", "duplicate keys"],
)
def test_bad_media_is_refused_and_nothing_stays_behind(registry, tmp_path, made, name, content, error):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(error, match="bad"):
        record(registry, made(path), {str(path): path})

    assert registry.catalog.generations() == 0
    assert list(registry.assets.names()) == []
    assert list((registry.home / "assets" / "staged").iterdir()) == []


def test_the_limit_on_pixels_is_a_setting(tmp_path, picture, made):
    path = picture(size=(200, 100))
    small, _ = create(Settings(home=tmp_path / "small", max_pixels=10_000))

    with pytest.raises(MediaTooLarge):
        record(small, made(path), {str(path): path})

    small.close()


def test_a_missing_input_file_is_named(registry, picture, made):
    path = picture()
    draft = msgspec.structs.replace(made(path), inputs=[Incoming(file="no/such.png", role="reference")])

    with pytest.raises(InvalidValue, match=r"no/such\.png"):
        record(registry, draft, {str(path): path})


def test_an_input_of_any_kind_is_kept(registry, picture, tmp_path, made):
    path, model = picture(), tmp_path / "lora.safetensors"
    model.write_bytes(bytes(range(256)) * 16)
    draft = msgspec.structs.replace(made(path), inputs=[Incoming(file=str(model), role="adapter")])

    recorded = record(registry, draft, {str(path): path, str(model): model})

    kept = recorded.manifest.inputs[0]
    assert (kept.media_type, kept.media, kept.bytes) == ("application/octet-stream", None, 4096)


def test_a_stored_asset_can_be_named_by_its_digest(registry, picture, made):
    path = picture(size=(128, 128))
    first = record(registry, made(path), {str(path): path})
    digest = f"sha256:{first.manifest.outputs[0].digest['sha256']}"
    draft = msgspec.structs.replace(made(path), inputs=[Incoming(digest=digest, role="reference")])

    second = record(registry, draft, {str(path): path})

    assert second.manifest.inputs[0].digest == first.manifest.outputs[0].digest


@pytest.mark.parametrize(
    ("draft", "pointer"),
    [
        ({"provider": {"name": "x"}}, ""),
        ({"provider": {"name": "x"}, "model": {"requested": 7}}, "/model/requested"),
        ({"provider": {"name": "x"}, "model": {"requested": "m"}, "surprise": 1}, ""),
        ({"provider": {"name": "x"}, "model": {"requested": "m"}, "outputs": [{"role": 1}]}, "/outputs/0/role"),
    ],
)
def test_a_draft_with_a_mistake_is_refused_where_the_mistake_is(draft, pointer):
    with pytest.raises(SchemaMismatch) as refused:
        read_draft(draft)

    assert refused.value.pointer == pointer


def test_a_draft_may_not_bring_its_own_seals():
    draft = {"provider": {"name": "x"}, "model": {"requested": "m"}, "prompt": {"submitted": {"$seal": "A" * 43}}}

    with pytest.raises(InvalidValue, match="plain value"):
        read_draft(draft)


@pytest.mark.parametrize("bad", ["Upper=1", "-x", "", "a" * 64])
def test_labels_outside_their_syntax_are_refused(registry, picture, made, bad):
    path = picture()

    with pytest.raises(SchemaMismatch, match="labels"):
        record(registry, made(path, labels={bad: "v"}), {str(path): path})


def test_a_label_named_after_the_prompt_is_refused(registry, picture, made):
    path = picture()

    with pytest.raises(InvalidValue.__mro__[1], match="name of this member"):
        record(registry, made(path, prompt="dragons", labels={"dragons": "yes"}), {str(path): path})


def test_what_is_recorded_fits_the_published_schema_of_another_validator(registry, picture, made):
    path = picture()
    draft = made(
        path, seed=Seed(requested="18446744073709551615"), cost=Cost(amount="0.04", currency="USD", kind="reported")
    )
    recorded = record(registry, draft, {str(path): path})
    schema = json.loads(resources.files("schemas").joinpath("manifest/v1.schema.json").read_text())

    jsonschema.Draft202012Validator(schema).validate(parse(registry.catalog.get(recorded.id).body))


def test_headers_are_kept_by_allow_list_and_never_with_a_secret(registry, picture, made):
    path = picture()
    headers = [["Authorization", "Bearer sk-live-1234"], ["Content-Type", "application/json"], ["user-agent", PROMPT]]
    request = Request(origin="captured", method="POST", path="/v1/images", headers=headers, body={})

    recorded = record(registry, made(path, prompt=PROMPT, request=request), {str(path): path})

    assert recorded.manifest.request.headers == [["content-type", "application/json"]]
    assert b"sk-live-1234" not in registry.catalog.get(recorded.id).body


def test_a_path_that_repeats_the_prompt_is_sealed(registry, picture, made):
    path = picture()
    request = Request(origin="captured", method="GET", path=f"/prompt/{PROMPT}", body=None)

    recorded = record(registry, made(path, prompt=PROMPT, request=request), {str(path): path})

    assert is_seal(recorded.manifest.to_json()["request"]["path"])


def test_a_caller_cannot_make_a_pin_or_name_a_foreign_description(registry, picture, made):
    path = picture()
    draft = made(path)
    claimed = msgspec.structs.replace(draft, model=Model(requested="m", pin="snapshot"))
    undescribed = msgspec.structs.replace(claimed, provider=Provider(name="painter"))
    foreign = DescriptionRef(id="procedural-image", sha256="0" * 64)
    described = msgspec.structs.replace(draft, provider=Provider(name="procedural", description=foreign))

    told = [record(registry, one, {str(path): path}).manifest.model.pin for one in (claimed, undescribed)]

    assert told == ["alias", "unknown"]
    with pytest.raises(InvalidValue, match="description"):
        record(registry, described, {str(path): path})


def test_a_model_that_fits_no_description_of_its_provider_is_recorded_all_the_same(local_registry, picture, made):
    path = picture()
    draft = msgspec.structs.replace(made(path), provider=Provider(name="replicate"), model=Model(requested="odd"))

    manifest = record(local_registry, draft, {str(path): path}).manifest

    assert (manifest.model.pin, manifest.provider.description) == ("unknown", None)
