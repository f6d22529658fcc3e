"""Look-up by digest, id, call and words: what is found, in which order, and what a miss says."""

import pytest

from registry.drafting import Draft, Incoming
from registry.erase import erase, plan_erasure
from registry.errors import AmbiguousPrefix, InvalidDigest, InvalidValue
from registry.indexing import catch_up
from registry.lookup import answer_json, behind, look_up_digest, look_up_text
from registry.manifest import Model, Outcome, Prompt, Provider
from registry.record import record
from registry.schema import validate


def prompted(registry, *prompts):
    """Calls that failed: words without files. Answers the ids, and indexes them."""
    ids = []
    for prompt in prompts:
        draft = Draft(
            provider=Provider(name="p"),
            model=Model(requested="m"),
            operation="image.generate",
            prompt=Prompt(submitted=prompt),
            outcome=Outcome(class_="failed", state="failed"),
        )
        ids.append(record(registry, draft, {}).id)
    catch_up(registry)
    return ids


def found(answer):
    return [hit.manifest for hit in answer.hits]


@pytest.mark.parametrize("algorithm", ["sha256", "blake3"])
def test_a_digest_leads_to_the_generation_that_made_it(registry, picture, made, algorithm):
    path = picture()
    done = record(registry, made(path), {str(path): path})

    answer = look_up_digest(registry, f"{algorithm}:{done.manifest.outputs[0].digest[algorithm]}")

    assert found(answer) == [done.id]
    assert (answer.hits[0].sureness, answer.hits[0].how, answer.exit_code) == ("match", "bytes", 0)
    assert "byte for byte its image (output 0)" in answer.hits[0].sentence


@pytest.mark.parametrize("algorithm", ["sha256", "blake3"])
def test_a_sealed_digest_is_found_once_it_is_indexed(registry, tmp_path, made, algorithm):
    path = tmp_path / "meeting.txt"
    path.write_text("we ship forty crates on Monday " * 40)
    done = record(registry, made(path), {str(path): path})
    digest = {d.pointer: d.value for d in registry.vault.get(done.id)}["/outputs/0/digest"][algorithm]
    assert behind(registry)

    catch_up(registry)

    assert not behind(registry)
    assert found(look_up_digest(registry, f"{algorithm}:{digest}")) == [done.id]


def test_outputs_come_before_inputs_and_originals_before_replays(registry, picture, made):
    path, other = picture("a.png"), picture("b.png", seed=2)
    user = record(
        registry, made(other, inputs=[Incoming(file=str(path), role="image")]), {str(path): path, str(other): other}
    )
    first = record(registry, made(path), {str(path): path})
    replay = record(registry, made(path, replay_of=first.id), {str(path): path})

    answer = look_up_digest(registry, f"sha256:{first.manifest.outputs[0].digest['sha256']}")

    assert found(answer) == [first.id, user.id], "the replay is counted under its original"
    assert answer.hits[0].replays == 1
    assert replay.id not in found(answer)
    assert "an input of it" in answer.hits[1].sentence


def test_a_replay_whose_original_is_no_hit_names_the_original(registry, picture, made):
    a, b = picture("a.png"), picture("b.png", seed=2)
    first = record(registry, made(a), {str(a): a})
    replay = record(registry, made(b, replay_of=first.id), {str(b): b})
    again = record(registry, made(b, replay_of=replay.id), {str(b): b})

    answer = look_up_digest(registry, f"sha256:{replay.manifest.outputs[0].digest['sha256']}")

    assert set(found(answer)) == {replay.id, again.id}
    assert {hit.replay_of for hit in answer.hits} == {first.id}


def test_a_manifest_id_and_its_prefix_are_matches(registry):
    (manifest,) = prompted(registry, "a lamp")

    for name in (manifest, manifest[:20], manifest[7:19]):
        ask = look_up_digest if name.startswith("sha256:") else look_up_text
        answer = ask(registry, name)
        assert found(answer) == [manifest] and answer.hits[0].how == "id"


def test_the_id_of_another_record_says_its_kind(registry):
    (manifest,) = prompted(registry, "a lamp")
    plan = plan_erasure(registry, manifest, fields=["prompt"], reason="r", authority="a")
    record_id = erase(registry, plan)

    answer = look_up_digest(registry, record_id)

    assert "kind erasure" in answer.hits[0].sentence
    validate("lookup/v1", answer_json(registry, answer))


def test_a_request_or_job_id_is_a_match(registry):
    for name in ("request_id", "job_id"):
        draft = Draft(
            provider=Provider(name="p"),
            model=Model(requested="m"),
            operation="image.generate",
            outcome=Outcome(class_="failed", state="failed", **{name: f"{name}-7"}),
        )
        done = record(registry, draft, {})

        answer = look_up_text(registry, f"{name}-7")

        assert found(answer) == [done.id] and answer.hits[0].how == "call" and answer.exit_code == 0


def test_what_is_nowhere_says_what_was_searched(registry):
    prompted(registry, "a lamp", "a chair")

    for answer in (look_up_text(registry, "harbour"), look_up_digest(registry, "sha256:" + "0" * 64)):
        assert (answer.hits, answer.exit_code) == ([], 1)
        assert answer.searched == "2 generations, index complete to #2; a miss is no proof"
        validate("lookup/v1", answer_json(registry, answer))


def test_a_lagging_index_is_admitted(registry):
    prompted(registry, "a lamp")
    draft = Draft(
        provider=Provider(name="p"),
        model=Model(requested="m"),
        operation="image.generate",
        outcome=Outcome(class_="failed", state="failed"),
    )
    record(registry, draft, {})

    assert "only to #1 of #2" in look_up_text(registry, "harbour").searched


@pytest.mark.parametrize("name", ["sha256:" + "g" * 64, "blake3:12", "sha256:" + "0" * 65])
def test_what_is_no_digest_is_refused(local_registry, name):
    with pytest.raises((InvalidDigest, InvalidValue)) as refused:
        look_up_digest(local_registry, name)

    assert refused.value.exit_code == 2


def test_an_ambiguous_prefix_is_refused(local_registry, monkeypatch):
    prompted(local_registry, "a lamp", "a chair")
    monkeypatch.setattr("registry.catalog.store.SHORTEST_PREFIX", 0)

    with pytest.raises(AmbiguousPrefix):
        look_up_digest(local_registry, "sha256:")


# prompt, words that find it, words that do not
WORDS = [
    ("A stone bridge in the fog", ["stone", "FOG bridge", "bridge, stone!"], ["ston", "fogs", "stone tunnel"]),
    ("東京タワーの夜景、雨", ["東京", "東京タワー", "夜景", "タワー", "ﾀﾜｰ"], ["大阪", "東夜"]),
    ("ภูเขาหิมะตอนรุ่งอรุณ", ["ภูเขา", "หิมะ", "รุ่งอรุณ"], ["ทะเล"]),
    ("Überfahrt über die Straße", ["überfahrt", "STRASSE", "U\u0308ber"], ["uberfahrt"]),
    ("café naïve", ["café", "cafe\u0301", "NAÏVE"], ["cafe"]),
    ("북한산의 아침 안개", ["아침", "안개"], ["저녁"]),
    ("हिमालय की सुबह", ["हिमालय", "सुबह"], ["शाम"]),
    ("ﬁne ﬂowers №5 ①", ["fine", "flowers", "no5", "1"], ["rose"]),
    ("Привет, МИР", ["привет", "мир"], ["мира"]),
    ("7up 3.5mm f/1.8", ["7up", "5mm", "f 1"], ["8mm"]),
    ("x_train AND y OR z NOT \"w\" NEAR(a b) * ^", ["and", "x train", "near", "not w"], ["nor"]),
]  # fmt: skip


def test_words_of_every_script_are_found_and_others_are_not(local_registry):
    ids = prompted(local_registry, *(prompt for prompt, _, _ in WORDS))

    told = []
    for manifest, (prompt, hits, misses) in zip(ids, WORDS, strict=True):
        told += [f"{prompt}: {q!r} missed" for q in hits if manifest not in found(look_up_text(local_registry, q))]
        told += [f"{prompt}: {q!r} found" for q in misses if manifest in found(look_up_text(local_registry, q))]
        told += [f"{prompt}: itself missed"] * (manifest not in found(look_up_text(local_registry, prompt)))
    assert told == []


def test_words_are_candidates_and_never_matches(local_registry):
    prompted(local_registry, "a stone bridge")

    answer = look_up_text(local_registry, "a stone bridge")

    assert (answer.hits[0].sureness, answer.exit_code) == ("candidate", 4)


@pytest.mark.parametrize("query", ["", " ", "!?", '"', "a OR", "*", "NEAR(", "\0", "x" * 100_000, "{}", "-stone"])
def test_no_words_break_the_search(local_registry, query):
    prompted(local_registry, "a stone bridge")

    assert look_up_text(local_registry, query).exit_code in (1, 4)


def test_an_erased_prompt_is_found_no_more(registry):
    erased, kept = prompted(registry, "a stone bridge in winter", "a stone bridge in spring")
    erase(registry, plan_erasure(registry, erased, fields=["prompt"], reason="r", authority="a"))

    assert found(look_up_text(registry, "stone bridge")) == [kept]
    assert look_up_text(registry, "winter").exit_code == 1


def test_an_answer_shows_a_disclosed_prompt_and_the_json_fits_its_schema(registry, picture, made):
    path = picture()
    done = record(registry, made(path, prompt="a stone bridge"), {str(path): path})

    told = answer_json(registry, look_up_digest(registry, done.id))

    validate("lookup/v1", told)
    assert told["hits"][0]["prompt"] == "a stone bridge" and told["hits"][0]["model"] == "openai/gpt-image-2-2026-04-21"


def test_a_limit_bounds_the_answers(local_registry):
    prompted(local_registry, *(f"stone number {n}" for n in range(12)))

    assert len(look_up_text(local_registry, "stone", limit=5).hits) == 5


def test_a_rebuilt_index_answers_the_same(registry, tmp_path, made):
    path = tmp_path / "meeting.txt"
    path.write_text("we ship forty crates on Monday " * 40)
    record(registry, made(path, prompt="minutes of the meeting"), {str(path): path})
    prompted(registry, *(prompt for prompt, _, _ in WORDS))
    queries = [query for _, hits, misses in WORDS for query in hits + misses] + ["meeting"]
    before = [found(look_up_text(registry, query)) for query in queries]

    registry.index.rebuild()
    assert found(look_up_text(registry, "meeting")) == []
    catch_up(registry)

    assert [found(look_up_text(registry, query)) for query in queries] == before


def test_words_find_an_original_once_however_often_it_was_replayed(registry, picture, made):
    path = picture()
    first = record(registry, made(path, prompt="a harbour in fog"), {str(path): path})
    for _ in range(3):
        record(registry, made(path, prompt="a harbour in fog", replay_of=first.id), {str(path): path})
    other = record(registry, made(path, prompt="fog over another harbour"), {str(path): path})
    catch_up(registry)

    answer = look_up_text(registry, "harbour fog", limit=2)

    assert {hit.manifest: hit.replays for hit in answer.hits} == {first.id: 3, other.id: 0}
