"""A request that is no canonical JSON holds the prompt as well: it lies in the vault, and can be erased from there."""

import base64
import json

import pytest
import requests
from capture_flows import KEY, MODEL
from emulator import media

from registry.cli import run
from registry.verbatim import LONGEST_RAW

WORD = "kwiatuszkowo"
PROMPT = f"a night at {WORD}"
LATIN = f"{PROMPT} \xf1".encode("latin-1")
JSON_TYPE = {"content-type": "application/json"}
LONG = f'{{"model": "{MODEL}", "prompt": "{PROMPT}", "padding": "{"-" * LONGEST_RAW}",}}'


def plain(text, kind="application/json"):
    return {"data": text.encode("utf-8", "surrogatepass"), "headers": {"content-type": kind}}


READ = {  # model and prompt can be read
    "half a surrogate": plain(f'{{"model": "{MODEL}", "prompt": "{PROMPT} \\ud83d"}}'),
    "repeated key": plain(f'{{"model": "{MODEL}", "prompt": "a", "prompt": "{PROMPT}"}}'),
    "NaN": plain(f'{{"model": "{MODEL}", "prompt": "{PROMPT}", "strength": NaN, "user_story": "{WORD}"}}'),
    "text/plain": plain(json.dumps({"model": MODEL, "prompt": PROMPT}), "text/plain"),
    "urlencoded": {"data": {"model": MODEL, "prompt": PROMPT}},
    "file in a form": {"data": {"model": MODEL}, "files": {"prompt": ("words.txt", PROMPT.encode(), "text/plain")}},
    "nameless file in a form": {"data": {"model": MODEL}, "files": {"prompt": ("words", PROMPT.encode())}},
    "other letters in a form": {"data": {"model": MODEL}, "files": {"prompt": (None, LATIN)}},
}  # fmt: skip
UNREAD = {
    "trailing comma": plain(f'{{"model": "{MODEL}", "prompt": "{PROMPT}",}}'),
    "other letters": {"data": b'{"model": "' + MODEL.encode() + b'", "prompt": "' + LATIN, "headers": JSON_TYPE},
    "bytes": {"data": PROMPT.encode(), "headers": {"content-type": "application/octet-stream"}},
    "no type": {"data": PROMPT.encode()},
}  # fmt: skip
ATTACHED = base64.b64encode(PROMPT.encode() * 200).decode()
KEPT = {  # plain JSON, with the words in a file of its own
    "file in JSON": plain(json.dumps({"model": MODEL, "prompt": PROMPT, "file": f"data:text/plain;base64,{ATTACHED}"})),
}
TOO_LONG = {
    "long": plain(LONG),
    "long file in a form": {"data": {"model": MODEL}, "files": {"prompt": ("w.txt", LONG.encode(), "text/plain")}},
}
every_body = pytest.mark.parametrize("name", [*READ, *UNREAD, *KEPT, *TOO_LONG])


def paint(url, how):
    headers = {"authorization": f"Bearer {KEY}", **how.get("headers", {})}
    sent = requests.Request("POST", url, **how | {"headers": headers}).prepare()
    with requests.Session() as session:
        assert session.send(sent, timeout=20).status_code == 200
    return sent.body


def outside(home, *but):
    """Files with the word in them, but for those of databases."""
    held = [path for path in home.rglob("*") if path.is_file() and not path.name.startswith(but)]
    return [path.name for path in held if WORD.encode() in path.read_bytes().lower()]


@pytest.fixture
def painting(upstream, monkeypatch):
    """A provider that answers anything with a picture; what it got is in ``bodies``."""
    upstream.bodies = []
    picture = json.dumps({"data": [{"b64_json": base64.b64encode(media.png("made")).decode()}]}).encode()

    async def answer(reader, writer):
        while (head := await upstream.head(reader)) is not None:
            length = int({name.lower(): value for name, value in head[1]}["content-length"])
            upstream.bodies.append(await reader.readexactly(length))
            said = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(picture)}\r\n\r\n"
            writer.write(said.encode() + picture)
            await writer.drain()

    upstream.answer = answer
    monkeypatch.setenv("MINTMARK_BASE_URL_OPENAI", f"http://127.0.0.1:{upstream.port}")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return upstream


def check(capturing, painting, url, name):
    """Recorded without a word outside, sent again byte for byte, and gone when it is erased."""
    how = {**READ, **UNREAD, **KEPT, **TOO_LONG}[name]
    form = "files" in how
    paint(f"{url}/v1/images/{'edits' if form else 'generations'}", how)
    [manifest] = capturing.recorded()
    home, [recorded] = capturing.home, capturing.ids
    kept = ("vault.db", "index.db")
    if name in READ:
        assert manifest.model.requested == MODEL
        assert [WORD in found for found in capturing.opened("/prompt/submitted")] == [True]
    if name in TOO_LONG:
        [kept_whole] = [one for one in manifest.inputs if one.role == "request"]
        assert kept_whole.digests is None
        assert outside(home, *kept) == outside(home / "assets")
    else:
        assert manifest.inputs == [] and outside(home, *kept) == []
    capturing.registry.close()
    capturing._registry = None
    return home, recorded


@every_body
def test_no_word_of_it_lies_outside_the_vault_and_it_is_sent_again_as_it_was(name, fronted, painting, monkeypatch):
    home, recorded = check(fronted, painting, fronted.url("openai"), name)
    monkeypatch.setenv("MINTMARK_HOME", str(home))

    assert run(["replay", recorded, "--assume-cost", "0.01", "--yes"]) == 0

    assert len(painting.bodies) == 2
    if "files" not in {**READ, **UNREAD, **KEPT, **TOO_LONG}[name] and name not in ("text/plain", *KEPT):
        assert painting.bodies[0] == painting.bodies[1]
    assert WORD.encode() in painting.bodies[1]


@pytest.mark.parametrize(
    ("field", "name"),
    [*(("prompt", name) for name in (*READ, *UNREAD, *KEPT, *TOO_LONG)),
     *(("request", name) for name in ("half a surrogate", "file in a form", "long"))],
)  # fmt: skip
def test_it_is_erased_with_the_prompt_and_with_the_request(field, name, hooking, painting, monkeypatch, capsys):
    hooking.begin()
    home, recorded = check(hooking, painting, f"http://127.0.0.1:{painting.port}", name)
    monkeypatch.setenv("MINTMARK_HOME", str(home))

    assert run(["erase", recorded, "--field", field, "--reason", "asked for", "--authority", "t-1"]) == 0

    assert outside(home) == []
    assert ATTACHED[:40].encode() not in (home / "vault.db").read_bytes()
    capsys.readouterr()
    assert run(["replay", recorded, "--assume-cost", "0.01", "--yes"]) != 0
    assert "erased" in "".join(capsys.readouterr())
    assert len(painting.bodies) == 1


def test_a_long_request_that_another_call_made_as_well_is_erased_for_both_or_not_at_all(fronted, painting, monkeypatch):
    for _ in range(2):
        paint(f"{fronted.url('openai')}/v1/images/generations", TOO_LONG["long"])
    fronted.recorded()
    monkeypatch.setenv("MINTMARK_HOME", str(fronted.home))
    erasing = ["erase", fronted.ids[0], "--field", "prompt", "--reason", "asked for", "--authority", "t-1"]

    assert run(erasing) == 2
    assert len(outside(fronted.home / "assets")) == 1
    assert run([*erasing, "--all-references"]) == 0
    assert outside(fronted.home) == []


def test_what_names_a_person_goes_with_them_from_a_request_that_is_kept_whole(fronted, painting, monkeypatch):
    said = {"x-mintmark-subject": WORD}
    body = READ["repeated key"]
    paint(f"{fronted.url('openai')}/v1/images/generations", body | {"headers": body["headers"] | said})
    fronted.recorded()
    monkeypatch.setenv("MINTMARK_HOME", str(fronted.home))

    assert run(["erase", fronted.ids[0], "--field", "subject", "--reason", "asked for", "--authority", "t-1"]) == 0

    assert fronted.opened("/request/body/$raw") == []
    assert outside(fronted.home) == []
