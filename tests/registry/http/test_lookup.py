"""Look-up over HTTP: by file, digest, id and words."""

import io

import numpy as np
import pytest
from PIL import Image

from drift.media.probe import probe
from registry import lookup_file
from registry.schema import validate


def test_the_file_itself_is_a_match(served, make_png):
    full = served.record(files={"out.png": make_png(3)}).json()["id"]

    told = served.client.post("/v1/lookup", files={"file": ("theirs.png", make_png(3))}).json()

    validate("lookup/v1", told)
    assert told["sureness"] == "match"
    assert [(hit["id"], hit["how"]) for hit in told["hits"]] == [(full, "bytes")]


def test_a_recompressed_copy_is_a_candidate(served, draft):
    picture = _scene()
    full = served.record(draft, {"out.png": _saved(picture, "PNG")}).json()["id"]

    copy = _saved(picture.resize((300, 200)), "JPEG")
    told = served.client.post("/v1/lookup", files={"file": ("c.jpg", copy)}).json()

    validate("lookup/v1", told)
    assert (told["sureness"], told["hits"][0]["id"], told["hits"][0]["how"]) == ("candidates", full, "pdq")
    assert list((served.registry.home / "assets" / "staged").iterdir()) == []


def test_digest_id_and_words_are_found(served, make_png):
    told = served.record().json()
    digest = told["manifest"]["outputs"][0]["digest"]

    for query, how in (
        (f"sha256:{digest['sha256']}", "bytes"),
        (f"blake3:{digest['blake3']}", "bytes"),
        (told["id"], "id"),
        (told["id"][7:17], "id"),
        ("dusk lighthouse", "words"),
    ):
        found = served.client.post("/v1/lookup", json={"query": query}).json()
        validate("lookup/v1", found)
        assert [(hit["id"], hit["how"]) for hit in found["hits"]] == [(told["id"], how)]


def test_nothing_found_is_an_answer_that_says_what_was_searched(served, make_png):
    told = served.client.post("/v1/lookup", files={"file": ("x.png", make_png(9))})

    assert told.status_code == 200
    assert (told.json()["sureness"], told.json()["hits"]) == ("nothing", [])
    assert told.json()["searched"].startswith("0 generations")


def test_no_transaction_is_open_while_a_file_is_decoded(served, make_png, monkeypatch):
    pool, seen = served.registry.catalog.database.engine.pool, []

    def watched(*arguments, **options):
        seen.append(pool.checkedout())
        return probe(*arguments, **options)

    monkeypatch.setattr(lookup_file, "probe", watched)

    served.client.post("/v1/lookup", files={"file": ("x.png", make_png(9))})

    assert seen == [0]


def test_the_limit_bounds_the_answer(served, draft, make_png):
    for n in range(3):
        served.record(draft, {"out.png": make_png(n)})

    assert len(served.client.post("/v1/lookup", json={"query": "lighthouse", "limit": 2}).json()["hits"]) == 2


@pytest.mark.parametrize(
    "body", [{}, {"query": ""}, {"query": 7}, {"query": "x", "limit": 0}, {"query": "x", "limit": 101}, {"q": "x"}, []]
)
def test_a_malformed_question_is_refused(standing, body):
    answer = standing.client.post("/v1/lookup", json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:mintmark:problem:question-malformed")


def test_a_form_without_a_file_is_refused(standing):
    answer = standing.client.post("/v1/lookup", files={"picture": ("x.png", b"x")})
    limit = standing.client.post("/v1/lookup", files={"file": ("x.png", b"x"), "limit": (None, "many")})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:mintmark:problem:file-missing")
    assert limit.json()["pointer"] == "/limit"


def test_an_endless_question_is_cut_off(standing):
    answer = standing.client.post("/v1/lookup", json={"query": "x" * 100_000})

    assert answer.status_code == 413


def _scene():
    """A picture with texture on a large scale, as photographs have it."""
    cells = np.random.default_rng(11).integers(0, 256, (12, 18, 3), np.uint8)
    return Image.fromarray(cells).resize((600, 400), Image.Resampling.BICUBIC)


def _saved(picture, form):
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()
