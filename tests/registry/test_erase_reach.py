"""How far an erasure reaches: one place alone, a whole person, generations that share bytes."""

import base64
import json
import re

import pytest

from registry.annotate import review
from registry.cli import run
from registry.erasable import holds
from registry.erase import NothingToErase, StandsOpen, erase, generations_about, plan_erasure
from registry.errors import InvalidValue, NotFound
from registry.export.selecting import export_selection
from registry.indexing import catch_up
from registry.keys import trust_lines
from registry.log.checkpoint import VerifierKey
from registry.lookup_file import look_up_file
from registry.manifest import Context
from registry.record import record
from registry.sealing import Disclosure
from registry.show import Gone, view
from registry.verify.bundle import verify

WHY = {"reason": "the person asked", "authority": "ticket 12"}
PERSON = "customer-Kowalczyk"


def erased(registry, *manifests, fields=(), **how):
    return erase(registry, plan_erasure(registry, *manifests, fields=fields, **WHY, **how))


@pytest.fixture
def reviewed(registry, picture, made):
    """A generation with a sealed label, and what somebody said of it."""
    path = picture()
    draft = made(path, prompt="a lamp", context=Context(subject=PERSON), labels={"for": f"{PERSON} 1", "app": "x"})
    done = record(registry, draft, {str(path): path})
    said = review(registry, done.id, usable=False, reason="it shows Mrs Nowak", minutes="2.5", cost=("1.20", "EUR"))
    catch_up(registry)
    return done.id, said


def test_what_a_review_says_is_erased_alone(registry, reviewed, tmp_path):
    manifest, said = reviewed

    erased(registry, manifest, fields=["reason"])

    found = view(registry, manifest)
    assert [(one["id"], one["usable"], list(one["reason"])) for one in found.reviews] == [(said, False, ["$seal"])]
    assert registry.vault.get(said) == []
    assert "erased" not in found.state.values()
    target = tmp_path / "part.zip"
    export_selection(registry, target, [manifest], words="one", disclose=["all"])
    trust = [VerifierKey.parse(line) for line in trust_lines(registry.snapshot)]
    report = verify(target, trust=trust)
    assert report.verdict == "verified", [layer.sentence for layer in report.layers]


def test_a_sealed_label_is_erased_alone(registry, reviewed):
    manifest, _ = reviewed

    erased(registry, manifest, fields=["label:for"])

    state = view(registry, manifest).state
    assert [pointer for pointer, what in state.items() if what == "erased"] == ["/labels/for"]


@pytest.mark.parametrize("field", ["label:none", "/settings/none"])
def test_a_place_where_nothing_is_sealed_is_told(registry, reviewed, field):
    with pytest.raises(NothingToErase):
        erased(registry, reviewed[0], fields=[field])


def test_an_open_label_is_refused_with_the_reason(registry, reviewed):
    with pytest.raises(StandsOpen, match="part of the signed record"):
        erased(registry, reviewed[0], fields=["label:app"])


@pytest.mark.parametrize("field", ["promt", "labels", "/outputs/0/digest", ""])
def test_a_field_that_names_nothing_is_refused(registry, reviewed, field):
    with pytest.raises(InvalidValue, match="label:KEY"):
        erased(registry, reviewed[0], fields=[field])


def test_a_prompt_goes_from_reviews_that_repeat_it(registry, picture, made):
    path = picture()
    done = record(registry, made(path, prompt="Ludwika by the sea"), {str(path): path})
    said = review(registry, done.id, usable=True, reason="Ludwika by the sea is what it shows")

    erased(registry, done.id, fields=["prompt"])

    assert registry.vault.get(said) == []


def test_every_generation_about_a_person_is_erased_at_once(registry, picture, made):
    first, second, other = (picture(f"{name}.png", seed=n) for n, name in enumerate("abc", 1))
    about = Context(subject=PERSON)
    one = record(registry, made(first, prompt="one", context=about), {str(first): first}).id
    two = record(registry, made(second, prompt="two words", context=about), {str(second): second}).id
    again = record(registry, made(second, prompt="two words", context=about, replay_of=two), {str(second): second}).id
    stranger = Context(subject=f"{PERSON}-junior")
    kept = record(registry, made(other, prompt="three", context=stranger), {str(other): other}).id

    found = generations_about(registry, PERSON)
    plan = plan_erasure(registry, *found, fields=["prompt", "subject", "error", "reason"], asset=True, **WHY)
    erase(registry, plan)

    assert set(found) == {one, two, again}
    assert {subject["id"] for subject in plan.subjects} == {one, two, again}
    for manifest in found:
        assert set(view(registry, manifest).state.values()) == {"erased"}
        assert view(registry, manifest).gone[0].through is None
    assert view(registry, kept).gone == []
    with pytest.raises(NotFound, match="exactly as it was recorded"):
        generations_about(registry, PERSON)


@pytest.fixture
def shared(registry, picture, made):
    """Two generations with the same bytes, one of which is erased for both."""
    path = picture(size=(256, 192))
    one = record(registry, made(path), {str(path): path}).id
    two = record(registry, made(path, prompt="another prompt"), {str(path): path}).id
    catch_up(registry)
    done = erased(registry, one, asset=True, all_references=True)
    return one, two, done, path


def test_bytes_erased_through_another_generation_are_told(registry, shared):
    one, two, done, _ = shared

    assert view(registry, one).gone == [Gone("output", 0, done, None)]
    assert view(registry, two).gone == [Gone("output", 0, done, one)]
    assert view(registry, two).gone[0].sentence.startswith(f"erased through {one[7:19]}, record ")


def test_no_fingerprint_of_erased_bytes_stays(registry, shared, picture):
    assert registry.index.fingerprints() == []
    assert look_up_file(registry, picture("copy.jpg", size=(256, 192), quality=60)).hits == []


def test_sealed_digests_of_shared_bytes_are_erased_everywhere(registry, tmp_path, made):
    path = tmp_path / "meeting.txt"
    path.write_text("we ship forty crates on Monday " * 50)
    one = record(registry, made(path), {str(path): path}).id
    two = record(registry, made(path, prompt="another"), {str(path): path}).id

    done = erased(registry, one, asset=True, all_references=True)

    assert view(registry, two).gone == [Gone("output", 0, done, one)]
    assert view(registry, two).state["/outputs/0/digest"] == "erased"


def test_bytes_that_vanished_without_a_record_are_missing(registry, picture, made):
    path = picture()
    done = record(registry, made(path), {str(path): path})
    registry.assets.remove(done.manifest.outputs[0].digest["blake3"])

    (gone,) = view(registry, done.id).gone

    assert gone.record is None and "no record says" in gone.sentence


@pytest.fixture
def here(tmp_path, monkeypatch, picture, capsys):
    """A folder with a failed call, an error, a sealed label and a review."""
    monkeypatch.chdir(tmp_path)
    said = ["record", "--provider", "p", "--model", "m", "--operation", "image.generate", "--status", "failed"]
    assert run([*said, "--error", "no faces", "--subject", PERSON, "--label", f"for={PERSON}"]) == 0
    manifest = capsys.readouterr().out.split()[0]
    assert run(["review", manifest, "--unusable", "--reason", "nothing came"]) == 0
    capsys.readouterr()
    return manifest


def test_the_program_lists_and_erases_a_person(here, capsys):
    why = ["--reason", "asked", "--authority", "me"]

    assert run(["erase", "--subject", PERSON, "--dry-run", *why]) == 0
    planned = capsys.readouterr().out
    assert run(["erase", "--subject", PERSON, *why]) == 0
    assert run(["erase", "--subject", PERSON, *why]) == 1
    capsys.readouterr()
    assert run(["show", here]) == 0

    shown = capsys.readouterr().out
    assert "would erase" in planned and "/context/subject" in planned and "/labels/for" in planned
    assert "[sealed]" not in shown and PERSON not in shown and "$seal" not in shown
    assert "unusable: [erased]" in shown
    assert re.search(r"labels +for=\[erased\]", shown) and re.search(r"outcome +failed, \[erased\]", shown)


def test_the_program_wants_an_id_or_a_person(here, capsys):
    assert run(["erase", here, "--subject", PERSON, "--reason", "r", "--authority", "a"]) == 2


def test_the_program_erases_a_reason(here, capsys):
    assert run(["erase", here, "--field", "reason", "--reason", "r", "--authority", "a", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [subject["pointers"] for subject in told["subjects"]] == [["/reason"]]


def test_a_short_text_in_base64_is_searched_as_well():
    coded = "data:text/plain;base64," + base64.b64encode(b"make the purple cow sing").decode()

    assert holds(Disclosure("/request/body/file", "s" * 22, coded), ["purple cow"])
    assert not holds(Disclosure("/request/body/file", "s" * 22, coded), ["yellow cow"])
