"""What ``doctor`` says of assets and fingerprints: what erasures took, what is lost, what could not be read."""

import json

import pytest

from registry.erase import erase, plan_erasure
from registry.health import examine
from registry.indexing import catch_up
from registry.record import record


@pytest.fixture
def transcript(tmp_path, local_registry, made):
    """Records a transcript, whose digests are sealed; gives its id and BLAKE3."""
    path = tmp_path / "words.txt"
    path.write_text("Good morning to all of you who came.")
    made_id = record(local_registry, made(str(path), operation="audio.transcribe"), {str(path): path}).id
    return made_id, local_registry.vault.get(made_id)[0].value["blake3"]


@pytest.fixture
def image(picture, local_registry, made):
    """Records a picture; gives its id and BLAKE3."""
    path = picture()
    made_id = record(local_registry, made(str(path)), {str(path): path}).id
    return made_id, local_registry.catalog.manifest(made_id).outputs[0].digests.blake3


def told(registry, name="assets"):
    return next((found for found in examine(registry) if found.name == name), None)


def take(registry, manifest):
    erase(registry, plan_erasure(registry, manifest, fields=[], asset=True, reason="r", authority="x"))


def test_what_an_erasure_took_is_not_lost(local_registry, image, transcript):
    take(local_registry, image[0])
    take(local_registry, transcript[0])

    assert told(local_registry).state == "ok"


def test_an_erased_transcript_does_not_hide_a_lost_picture(local_registry, image, transcript):
    take(local_registry, transcript[0])
    local_registry.assets.remove(image[1])

    found = told(local_registry)

    assert found.state == "problem" and found.remedy
    assert found.sentence.startswith("1 recorded asset lost") and image[0][7:19] in found.sentence


def test_an_asset_with_a_sealed_digest_can_be_lost_too(local_registry, image, transcript):
    take(local_registry, image[0])
    local_registry.assets.remove(transcript[1])

    assert told(local_registry).sentence.startswith("1 recorded asset lost")


def test_what_an_interrupted_erasure_promised_is_not_lost(local_registry, image):
    with local_registry.catalog.database.writing() as connection:
        promise = {"places": [], "assets": [image[1]], "all": False, "record": "{}", "id": "sha256:" + "0" * 64}
        local_registry.catalog.add_intent(connection, "one", "2026-01-01T00:00:00.000Z", json.dumps(promise).encode())
    local_registry.assets.remove(image[1])

    assert told(local_registry).state == "ok"
    assert told(local_registry, "erasures").state == "problem"


def test_what_has_no_fingerprint_is_told_with_its_reason(local_registry, image, transcript):
    path = local_registry.assets.file(transcript[1])
    path.chmod(0o644)
    path.write_text("1\n" + "9" * 4297 + ":00:01,000 --> 00:00:02,000\nhello\n")  # as a wider reader had let it in
    catch_up(local_registry)

    found = told(local_registry, "fingerprints")

    assert found.state == "note" and "index rebuild" in found.remedy
    assert found.sentence.startswith("1 recorded output without") and transcript[0][7:19] in found.sentence
    assert "is no time" in found.sentence


def test_nothing_is_said_where_all_have_fingerprints(local_registry, image):
    catch_up(local_registry)

    assert told(local_registry, "fingerprints") is None


def test_settings_beside_the_home_are_told(local_registry):
    assert told(local_registry, "settings") is None

    stray = local_registry.home.parent / "mintmark.toml"
    stray.touch()

    found = told(local_registry, "settings")
    assert (found.state, found.remedy) == ("note", f"mv {stray} {local_registry.home / 'mintmark.toml'}")
