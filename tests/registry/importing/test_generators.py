"""Whatever stands in a file's text fields: understood, refused with a reason or passed over, in a bounded time."""

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.importing.fields import MOST, read_fields
from registry.importing.found import Found, UnreadableMetadata
from registry.importing.generators import read_generator

END = "Steps: 1, Sampler: a, CFG scale: 1, Seed: 1"


def graph(count, samplers):
    """A chain of text nodes with samplers at its end."""
    nodes = {
        str(n): {"class_type": "C", "inputs": {"text": f"words {n}" if n % 2 else 7, "conditioning": [str(n + 1), 0]}}
        for n in range(count)
    }
    sampler = {"sampler_name": "e", "steps": 1, "cfg": 1, "seed": 5, "positive": ["0", 0]}
    return json.dumps(nodes | {f"s{n}": {"class_type": "K", "inputs": sampler} for n in range(samplers)})


def fan(depth, leaves, samplers):
    """Many samplers at one end of a chain, many texts at the other."""
    nodes = {str(n): {"class_type": "C", "inputs": {"a": [str(n + 1), 0]}} for n in range(depth)}
    nodes[str(depth)] = {"class_type": "C", "inputs": {f"i{n}": [f"t{n}", 0] for n in range(leaves)}}
    nodes |= {f"t{n}": {"class_type": "T", "inputs": {"text": f"words {n}"}} for n in range(leaves)}
    sampler = {"sampler_name": "e", "steps": 1, "cfg": 1, "seed": 5, "positive": ["0", 0]}
    return json.dumps(nodes | {f"s{n}": {"class_type": "K", "inputs": sampler} for n in range(samplers)})


# Each takes minutes, or for ever, where it is read without bounds.
HEAVY = {
    "hashes without an end": {"parameters": "Hashes:{" * 100_000 + END},
    "a million lines": {"parameters": "a:b,\n" * 1_600_000},
    "blanks in a dream": {"Dream": '"a"' + " " * 200_000 + "x"},
    "blanks in a source": {
        "Comment": '{"sampler": "k"}',
        "Source": " " * 100_000 + "a",
        "Description": "",
        "Software": "NovelAI",
    },
    "many samplers far from many texts": {"prompt": fan(300, 1000, 200), "workflow": "{}"},
    "nested brackets": {"prompt": "[" * 100_000, "workflow": "{}"},
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HEAVY)
def test_what_would_take_for_ever_is_refused(name):
    with pytest.raises(UnreadableMetadata, match="cannot be read"):
        read_generator("a.png", HEAVY[name])


def test_a_real_graph_is_far_from_the_bound():
    assert read_generator("a.png", {"prompt": graph(300, 2), "workflow": "{}"}).tool == "comfyui"


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        (f"a\nNegative prompt: b\n{END}", "a", "b"),
        (f"Negative prompt: b\n{END}", None, "b"),
        (f"write Negative prompt: in red\n{END}", "write Negative prompt: in red", None),
        (f"a\nNegative prompt: b\nNegative prompt: c\n{END}", "a\nNegative prompt: b", "c"),
        (END, None, None),
    ],
)
def test_where_the_negative_prompt_begins(text, prompt, negative):
    found = read_generator("a.png", {"parameters": text})

    assert (found.prompt, found.negative_prompt) == (prompt, negative)


@pytest.mark.parametrize(
    "fields",
    [
        {"Comment": "holiday", "Source": "camera"},
        {"UserComment": "at the sea"},
        {"prompt": "enter your name"},
        {"Title": "a", "Author": "b"},
        {},
    ],
)
def test_what_other_programs_write_is_passed_over(fields):
    assert read_generator("a.png", fields) is None


@pytest.mark.parametrize(
    ("tool", "fields"),
    [
        ("automatic1111", {"parameters": "just words"}),
        ("fooocus", {"parameters": '{"prompt": "a"}'}),
        ("comfyui", {"prompt": "{}", "workflow": "{}"}),
        ("invokeai", {"invokeai_metadata": "{"}),
        ("novelai", {"Comment": "{", "Source": "s", "Software": "NovelAI"}),
    ],
)
def test_what_a_tool_surely_wrote_and_cannot_be_read_is_named(tool, fields):
    with pytest.raises(UnreadableMetadata, match=tool):
        read_generator("a.png", fields)


def test_values_that_no_record_can_hold_are_left_out():
    told = {
        "base_model": "m\ud800\n" + "x" * 400,
        "base_model_hash": None,
        "prompt": "p\ud800",
        "negative_prompt": "",
        "sampler": "s",
        "scheduler": "k\x00k",
        "guidance_scale": float("nan"),
        "sharpness": float("inf"),
        "seed": 10**200,
        "steps": 10**300,
    }

    found = read_generator("a.png", {"parameters": json.dumps(told)})

    assert found.prompt == "p?" and found.negative_prompt is None
    assert len(found.model) <= 256 and "\n" not in found.model
    assert len(found.seed) == 128
    assert set(found.settings) == {"sampler", "scheduler", "steps"} and found.settings["scheduler"] == "k k"


KEYS = [
    "parameters",
    "UserComment",
    "prompt",
    "workflow",
    "sd-metadata",
    "Dream",
    "invokeai_metadata",
    "Comment",
    "Source",
    "Software",
]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "inputs",
                    "class_type",
                    "steps",
                    "cfg",
                    "sampler_name",
                    "model",
                    "positive",
                    "text",
                    "image",
                    "prompt",
                    "links",
                    "1",
                    "sampler",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
TEXTS = st.text(max_size=60) | JSONS.map(json.dumps) | st.text(max_size=20).map(lambda text: f"{text}\n{END}")


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=5))
def test_any_text_is_read_refused_or_passed_over(fields):
    try:
        found = read_generator("a.png", fields)
    except UnreadableMetadata:
        return
    assert found is None or isinstance(found, Found)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"IDAT"]), st.binary(max_size=40)), max_size=5
    ),
    st.binary(max_size=8),
)
def test_any_chunks_are_read_or_refused(tmp_path_factory, chunks, rest):
    path = tmp_path_factory.getbasetemp() / "any.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + b"".join(len(d).to_bytes(4) + k + d + b"\0\0\0\0" for k, d in chunks) + rest
    )

    try:
        fields = read_fields(path)
    except UnreadableMetadata:
        return
    assert all(isinstance(text, str) for text in fields.values())


def test_a_text_that_unfolds_to_more_than_the_bound_is_refused(tmp_path):
    data = b"parameters\0\0" + zlib.compress(b"a" * (MOST + 1))
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + len(data).to_bytes(4) + b"zTXt" + data + b"\0\0\0\0")

    with pytest.raises(UnreadableMetadata, match="more than"):
        read_fields(path)


def test_xmp_with_declarations_is_not_parsed(tmp_path, jpeg):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x xmlns:e="e"><e:UserComment>&b;</e:UserComment></x>'

    assert "UserComment" not in read_fields(jpeg("a.jpg", xmp=bomb.encode()))
