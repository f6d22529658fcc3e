"""Objects and arrays that a description redacts leave no byte of theirs behind, canonical JSON or not."""

import base64
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.capture.description import shipped
from registry.capturing.known import Known
from registry.capturing.members import emptied
from registry.capturing.opened import open_calls
from registry.capturing.scrubbing import rules_of, scrubbed, scrubbed_whole

WORD = "kwiatuszkowo"
KEY = "comfyui-0123456789abcdef"

names = st.sampled_from(["metadata", "prompt", "a"])
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(['"', "\\", "{", "]", ":"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def cut(data, places):
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def clean(data, *fields, places=()):
    return b"".join(scrubbed(cut(data, places), [], list(fields)))


def without(value, depth):
    """What is to be left of a document without ``metadata`` in the objects at a depth, by a reader of JSON."""
    if isinstance(value, list):
        return [without(member, depth - 1) for member in value]
    if not isinstance(value, dict):
        return value
    inner = {name: without(member, depth - 1) for name, member in value.items()}
    if depth == 1 and isinstance(value.get("metadata"), dict | list):
        inner["metadata"] = type(value["metadata"])()
    return inner


@settings(deadline=None)
@given(st.dictionaries(names, anything, max_size=4), st.lists(st.integers(0, 500), max_size=6), st.booleans())
def test_only_the_named_member_is_emptied_however_the_bytes_are_cut(value, places, plain):
    data = json.dumps(value, ensure_ascii=plain, indent=None if plain else 1).encode("utf-8", "surrogatepass")

    for depth, path in ((1, b"metadata"), (2, b"a.metadata"), (3, b"a[].metadata")):
        left = json.loads(b"".join(emptied(cut(data, places), [path])))
        assert json.dumps(left) == json.dumps(without(value, depth))


@pytest.mark.parametrize(
    "value",
    [f'{{"k": "{KEY}"}}', f'["{KEY}"]', f'{{"a": [{{"b": "}} {KEY} \\" ]"}}], "c": NaN,}}',
     f'{{"workflow": "{"x" * 300_000}", "k": ["{KEY}"]}}', f'{{"k": "{KEY}"'],
)  # fmt: skip
@pytest.mark.parametrize("name", ["extra_data", "extra\\u005fdata"])
def test_nothing_of_its_value_stays_in_what_is_no_canonical_json(value, name):
    whole = f'{{"prompt": {{"6": {{"text": "{WORD}", "strength": NaN}}}}, "{name}" : {value}, "front": true,}}'.encode()

    left = clean(whole, b"extra_data", places=range(0, len(whole), 65_536))

    assert KEY.encode() not in left and WORD.encode() in left
    assert left.endswith(b'"front": true,}') == value.endswith(("}", "]"))


@pytest.mark.parametrize("description", [one for one in shipped() if rules_of(one).request], ids=lambda one: one.id)
def test_every_member_that_a_shipped_description_redacts_goes_whatever_it_holds(description):
    for field in rules_of(description).request:
        for value in (f'"{KEY}"', f'{{"k": {{"deep": ["{KEY}"]}}}}', f'["{KEY}"]'):
            whole = f'{{"prompt": "{WORD}", "strength": NaN, "{field.decode()}": {value}, "n": 1}}'.encode()
            assert KEY.encode() not in clean(whole, *rules_of(description).request)


@settings(deadline=None)
@given(
    st.dictionaries(names, anything, max_size=4), st.booleans(), st.sampled_from(["metadata", "met\\u0061data", "b"])
)
def test_content_in_memory_comes_out_as_it_would_in_pieces(value, plain, name):
    data = (
        json.dumps(value, ensure_ascii=plain).encode("utf-8", "surrogatepass").replace(b'"a"', b'"%s"' % name.encode())
    )

    for secrets in ([], [b"prompt"]):
        assert scrubbed_whole(data, secrets, [b"metadata"]) == b"".join(scrubbed([data], secrets, [b"metadata"]))


def test_a_slash_in_a_name_may_be_escaped_in_memory_too():
    assert scrubbed_whole(b'{"a\\/b": {"k": 1}}', [], [b"a/b"]) == b'{"a\\/b": {}}'


def test_members_of_the_same_name_elsewhere_and_files_of_forms_stay():
    tools = b'{"tools": [{"parameters": {"metadata": {"type": "object"}}}], "metadata": {"user": "x"}}'
    form = b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\n{"metadata": {"a": 1}}\r\n--b--\r\n'

    assert clean(tools, b"metadata") == tools.replace(b'{"user": "x"}', b"{}")
    assert clean(form, b"metadata") == form


@pytest.mark.parametrize("strength", ["1", "NaN"])
def test_a_key_in_what_comfyui_is_told_beside_the_graph_is_kept_nowhere(recording, strength):
    recording.recorder.known = Known(environment={"MINTMARK_BASE_URL_COMFYUI": "http://127.0.0.1:8188"})
    held, soon = [], recording.recorder._seen_soon

    def looked(seen):
        held.extend(path.read_bytes() for path in open_calls(recording.spool))
        soon(seen)

    recording.recorder._seen_soon = looked
    graph = f'{{"6": {{"class_type": "CLIPTextEncode", "inputs": {{"text": "{WORD}", "strength": {strength}}}}}}}'
    body = f'{{"prompt": {graph}, "extra_data": {{"api_key_comfy_org": "{KEY}"}}}}'.encode()

    recording.saw("http://127.0.0.1:8188/prompt", body, b'{"error": {"message": "no"}}', status=400)
    recording.settled()

    [entry] = recording.spool.waiting()
    sent = (entry / "submit.request").read_bytes()
    recording.recorded()
    assert WORD.encode() in sent and WORD.encode() in held[0]
    assert KEY.encode() not in sent + held[0]
    raws = [base64.b64decode(raw) for raw in recording.opened("/request/body/$raw")]
    assert [(WORD.encode() in raw, KEY.encode() in raw) for raw in raws] == [(True, False)] * (strength == "NaN")
    assert not [path for path in recording.home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
