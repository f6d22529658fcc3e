"""What an answer says, whatever a provider sends: truth, amounts, and facts that a manifest can hold."""

import json
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.canonical import canonical
from registry.capture.answers import Answer, ending_of, facts_of, recorded_job, recorded_status
from registry.capture.description import shipped
from registry.capture.exchange import Exchange, read
from registry.capture.expressions import compile_expression
from registry.capture.protocol import Rule
from registry.capture.request import asked_for
from registry.schema import validate

IMAGES = shipped().by_id("openai-images")
POINTS = ("request_id", "served_model", "effective_prompt", "actual_seed", "error", "cost")
PROTOCOL = replace(
    IMAGES.protocol, facts={name: compile_expression(f"body.{name}") for name in POINTS}, currency="USD", units={}
)
ANY_TEXT = st.text(st.characters(codec=None), max_size=20) | st.text(
    st.sampled_from("a\n\x00\x7f\ud800é"), max_size=400
)


@pytest.fixture(scope="module")
def valid():
    """A valid manifest, to put facts into."""
    return json.loads(resources.files("schemas").joinpath("manifest/v1/valid/image.json").read_text("utf-8"))


@settings(deadline=None, max_examples=80)
@given(told=st.fixed_dictionaries(dict.fromkeys(POINTS, ANY_TEXT)), job=ANY_TEXT, status=st.integers(0, 1200))
def test_facts_of_any_answer_fit_a_manifest(valid, told, job, status):
    facts = facts_of(PROTOCOL, Answer(200, {}, told))

    outcome = valid["outcome"] | {
        "request_id": facts.request_id, "job_id": recorded_job(job), "http_status": recorded_status(status)
    }  # fmt: skip
    cost = {"amount": facts.cost, "currency": facts.currency, "kind": "reported" if facts.cost else "unknown",
            "price_table": None, "units": {}}  # fmt: skip
    manifest = valid | {
        "model": valid["model"] | {"served": facts.served_model},
        "seed": valid["seed"] | {"actual": facts.actual_seed},
        "prompt": {"submitted": None, "effective": facts.effective_prompt},
        "outcome": outcome,
        "cost": cost,
    }
    validate("manifest/v1", manifest)
    canonical([manifest, facts.error])


def test_what_is_too_long_is_cut_visibly_and_stays_apart():
    ids = ["r" * 256, "r" * 257, "r" * 300, "r" * 299 + "s"]

    kept = [facts_of(PROTOCOL, Answer(200, {}, {"request_id": one})).request_id for one in ids]

    assert kept[0] == ids[0] and len(set(kept)) == 4
    assert all(len(one) == 256 and one.startswith("r" * 239 + "…") for one in kept[1:])
    assert facts_of(PROTOCOL, Answer(200, {}, {"request_id": "a\r\nb\ud800"})).request_id == "a\ufffd\ufffdb\ufffd"
    assert len(facts_of(PROTOCOL, Answer(200, {}, {"actual_seed": "7" * 200})).actual_seed) == 128


def test_a_key_that_stands_where_an_id_is_cut_is_taken_out_whole():
    told = Answer(200, {}, {"request_id": "r" * 230 + "sk-secret-0123456789" * 3})

    facts = facts_of(PROTOCOL, told, clean=lambda text: text.replace("sk-secret-0123456789", "[secret]"))

    assert "sk-" not in facts.request_id and "[secret]" in facts.request_id


@pytest.mark.parametrize("found", ["0", "0.0", "1", "'x'", "true", "[0]", '{"a": null}'])
def test_a_rule_holds_for_whatever_jmespath_takes_for_true(found):
    assert ended(found) == "blocked"


@pytest.mark.parametrize("found", ["null", "false", '""', "[]", "{}"])
def test_a_rule_does_not_hold_for_what_is_false_or_empty(found):
    assert ended(found) is None


def ended(found):
    when = compile_expression(f"`{found}`" if not found.startswith("'") else found)
    ending = ending_of(replace(PROTOCOL, rules=(Rule(when, "blocked", None, False),)), Answer(200), failed=False)
    return ending and ending.class_


@pytest.mark.parametrize(
    ("said", "kept"),
    [("0.04", "0.04"), ("007.50", "7.50"), ("0", "0"), ("12", "12"), (0.25, "0.25"), ("1" * 18, "1" * 18),
     ("1.1234567890123", "1.123456789012"),
     ("²", None), ("1.²", None), ("٣", None), ("1.", None), (".5", None), ("-1", None), ("1" * 19, None),
     ("1" * 5000, None)],
)  # fmt: skip
def test_an_amount_is_digits_and_a_point(said, kept):
    facts = facts_of(PROTOCOL, Answer(200, {}, {"cost": said}))

    assert (facts.cost, facts.currency) == (kept, "USD" if kept else None)


@pytest.mark.parametrize(
    ("said", "count"), [(3, 3), ("3", 3), ("²", None), (0, 1), (1_000_001, None), ("9" * 5000, None)]
)
def test_how_many_were_asked_for_is_a_number_that_a_manifest_can_hold(tmp_path, said, count):
    asked = json.dumps({"model": "gpt-image-2", "prompt": "x", "n": said}).encode()
    submit = Exchange("POST", "https://api.openai.com/v1/images/generations",
                      [("content-type", "application/json")], asked, None)  # fmt: skip

    draft = read(IMAGES, submit, tmp_path).draft

    assert asked_for(IMAGES, draft.request) == count
    assert draft.outputs_requested == (count or 1)
    assert asked_for(replace(IMAGES, slots={}), draft.request) is None
