"""What the pages say, and that nothing said in a record becomes markup."""

import io
import threading

import httpx
import numpy as np
import pytest
from PIL import Image

from drift.errors import MediaRefused
from drift.media.limits import DEFAULT_LIMITS
from registry.drafting import Draft, read_draft
from registry.erase import erase, plan_erasure
from registry.http.serving import listen, server
from registry.manifest import Context, Model, Outcome, Provider
from registry.record import record
from registry.show import rate_of, shape_of, view
from registry.web import telling
from registry.web.pictures import SIDE, picture_of, preview

EVIL = "<script>alert('prompt')</script>"


@pytest.fixture
def client(local_registry):
    listener = listen("127.0.0.1", 0)
    running = server(local_registry)
    thread = threading.Thread(target=lambda: running.run(sockets=[listener.socket]), daemon=True)
    thread.start()
    try:
        with httpx.Client(base_url=listener.url, timeout=30, trust_env=False) as found:
            found.get("/healthz").raise_for_status()
            yield found
    finally:
        running.should_exit = True
        thread.join(20)


@pytest.fixture
def recorded(local_registry, picture):
    """A generation whose every free text is markup."""
    draft = read_draft(
        {
            "provider": {"name": "acme"},
            "model": {"requested": "<i>m</i>"},
            "prompt": {"submitted": EVIL, "effective": f"{EVIL}!"},
            "settings": {"style": "<u>x</u>"},
            "context": {"workflow": "<s>w</s>", "subject": "<em>me</em>"},
            "labels": {"app": "<a href=x>"},
            "outcome": {"class": "failed", "state": "failed", "error": "<h1>boom</h1>"},
            "outputs": [{"file": "a.png"}],
        }
    )
    return record(local_registry, draft, {"a.png": picture("a.png")}).id


def test_a_record_cannot_write_markup(client, recorded):
    for address in (f"/g/{recorded}", f"/?q={recorded[7:20]}", "/", f"/?q={EVIL}"):
        html = client.get(address).text
        for text in (EVIL, "<i>m<", "<u>x", "<s>w", "<em>me", "<a href=x>", "<h1>boom"):
            assert text not in html, (address, text)
    html = client.get(f"/g/{recorded}").text
    assert "&lt;script&gt;" in html
    assert "&lt;h1&gt;boom" in html


def test_an_erased_prompt_says_so(client, local_registry, picture, made):
    draft = made("a.png", prompt="a name to forget", context=Context(subject="jane-4711"))
    full = record(local_registry, draft, {"a.png": picture("a.png")}).id
    for field in ("prompt", "subject"):
        erase(local_registry, plan_erasure(local_registry, full, fields=[field], reason="asked", authority="test"))

    html = client.get(f"/g/{full}").text

    assert html.count("[erased]") == 2
    assert "jane" not in html
    assert "$seal" not in html
    assert "a name to forget" not in html


def test_erased_bytes_are_told_and_no_picture_is_asked_for(client, local_registry, picture, made):
    path = picture()
    one = record(local_registry, made(path), {str(path): path}).id
    two = record(local_registry, made(path, prompt="another"), {str(path): path}).id
    plan = plan_erasure(
        local_registry, one, fields=[], asset=True, all_references=True, reason="asked", authority="test"
    )
    erase(local_registry, plan)

    page, start = client.get(f"/g/{two}").text, client.get("/").text

    assert f"erased through {one[7:19]}" in page
    for html in (page, start):
        assert "/thumbnail" not in html and "/v1/assets/" not in html
    assert start.count("<span>erased</span>") == 2


def test_no_page_promises_a_replay_that_there_cannot_be(client, local_registry, recorded):
    failed = Draft(
        provider=Provider(name="p"),
        model=Model(requested="m"),
        operation="image.generate",
        outcome=Outcome(class_="blocked", state="failed"),
    )
    nothing = record(local_registry, failed, {}).id

    for manifest, why in ((recorded, "its request is not on record"), (nothing, "made nothing to compare with")):
        html = client.get(f"/g/{manifest}").text
        assert why in html and "mintmark replay" not in html


def test_the_pages_load_nothing_from_elsewhere(client, recorded):
    for address in ("/", f"/g/{recorded}"):
        answer = client.get(address)
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert "https://" not in answer.text
        assert "style=" not in answer.text
        assert "'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "private, no-store"


def test_a_form_without_a_file_asks_for_one(client):
    for files in ({"file": ("", b"")}, {"other": ("x.png", b"x")}):
        assert "Choose a file first" in client.post("/", files=files).text


def test_a_file_that_is_no_media_still_gets_an_answer(client):
    html = client.post("/", files={"file": ("odd.bin", b"\x00\x01" * 50)}).text

    assert "Nothing found" in html
    assert "odd.bin" in html


def test_a_query_that_is_refused_is_told_on_the_page(client):
    answer = client.get("/?q=sha256:abcdefgh")

    assert answer.status_code == 200
    assert "is not an id" in answer.text


def test_thumbnails_are_small_and_conditional(client, local_registry, picture, made):
    path = picture("big.png", size=(1600, 1000))
    full = record(local_registry, made("big.png"), {"big.png": path}).id
    digest = local_registry.catalog.manifest(full).outputs[0].digest["blake3"]

    answer = client.get(f"/thumbnail/blake3:{digest}")

    with Image.open(io.BytesIO(answer.content)) as small:
        assert (small.format, max(small.size)) == ("WEBP", SIDE)
    again = client.get(f"/thumbnail/blake3:{digest}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_text_has_no_picture(client, local_registry, made, tmp_path):
    (tmp_path / "t.txt").write_text("words " * 400)
    full = record(local_registry, made("t.txt"), {"t.txt": tmp_path / "t.txt"}).id
    digest = view(local_registry, full).disclosed["outputs"][0]["digest"]["blake3"]

    assert client.get(f"/thumbnail/blake3:{digest}").status_code == 404


def test_previews_of_every_kind(tmp_path, picture):
    (tmp_path / "t.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\n" + "word " * 200)
    (tmp_path / "x.bin").write_bytes(b"\x00" * 10)

    assert preview(picture("p.png"), "p.png", limits=DEFAULT_LIMITS).picture.startswith("data:image/webp;base64,")
    text = preview(tmp_path / "t.srt", "t.srt", limits=DEFAULT_LIMITS)
    assert (text.kind, text.picture) == ("transcript", None)
    assert text.text.endswith("…")
    assert preview(tmp_path / "x.bin", "x.bin", limits=DEFAULT_LIMITS).kind == "file"
    with pytest.raises(MediaRefused):
        picture_of(tmp_path / "x.bin", "image", limits=DEFAULT_LIMITS)


def test_a_wave_shows_where_it_is_loud(tmp_path):
    rate = 8000
    loud = (np.sin(np.arange(rate) / 5) * 20000).astype("<i2")
    samples = np.concatenate([np.zeros(rate, "<i2"), loud]).tobytes()
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\x01\0\x01\0"
    head += rate.to_bytes(4, "little") + (2 * rate).to_bytes(4, "little") + b"\x02\0\x10\0"
    (tmp_path / "s.wav").write_bytes(head + b"data" + len(samples).to_bytes(4, "little") + samples)

    drawn = Image.open(io.BytesIO(picture_of(tmp_path / "s.wav", "audio", limits=DEFAULT_LIMITS)))

    ink = np.asarray(drawn.convert("RGBA"))[..., 3] > 128
    half = ink.shape[1] // 2
    assert ink[:, half + 10 :].sum() > 10 * ink[:, : half - 10].sum()


def test_times_and_sizes_are_for_people():
    assert telling.when("2026-11-02T07:08:09.123Z") == "2 November 2026, 07:08 UTC"
    assert telling.when("2016-12-31T23:59:60.000Z") == "31 December 2016, 23:59 UTC"  # a leap second
    assert [telling.size(n) for n in (7, 1500, 2_345_678)] == ["7 bytes", "2 KB", "2.3 MB"]


def test_what_json_says_is_told_as_json_and_a_rate_as_a_decimal():
    assert (rate_of("192000/6337"), rate_of("25/1"), rate_of("30000/1001")) == ("30.298", "25", "29.97")
    assert shape_of({"kind": "video", "fps": "24000/1001", "has_audio": True}) == ", fps 23.976, has_audio true"


@pytest.mark.parametrize(
    ("moderation", "told"),
    [
        ({"provider": "openai", "model": "m-1", "flagged": False, "categories": []}, "passed, m-1 of openai"),
        ({"provider": "openai", "model": None, "flagged": True, "categories": ["grim"]}, "flagged (grim), openai"),
        (None, None),
    ],
)
def test_what_a_moderation_model_said_stands_beside_the_outcome(local_registry, moderation, told):
    outcome = Outcome(class_="blocked", state="failed", moderation=moderation)
    draft = Draft(
        provider=Provider(name="acme"), model=Model(requested="m"), operation="image.generate", outcome=outcome
    )
    found = record(local_registry, draft, {}).id

    facts = {fact.name: fact.value for fact in telling.page_of(view(local_registry, found)).outcome}

    assert facts.get("Moderation") == told
