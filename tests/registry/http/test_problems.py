"""Every error is problem details with a stable type, and gives nothing of the server away."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from drift.errors import MintmarkError
from registry.http.problems import Problem, told

PLACES = ["registry.errors", "registry.log.errors", "registry.capture.errors", "registry.record", "drift.errors"]
ROOT = Path(__file__).parents[3]


def test_the_routes_the_framework_answers_are_problems_too(standing):
    for answer, status in (
        (standing.client.get("/v1/nowhere"), 404),
        (standing.client.delete("/v1/generations"), 405),
        (standing.client.get("/v1/generations?limit=x"), 422),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "detail"}
        assert answer.json()["status"] == status
    assert standing.client.delete("/v1/generations").headers["allow"] == "GET, POST"


def test_an_address_that_is_not_there_is_a_problem_for_programs(standing):
    for path in ("/nowhere", "/v2/generations", "/g/00000000"):
        answer = standing.client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 404


def test_a_page_that_is_not_there_is_a_page_for_browsers(standing):
    for path in ("/nowhere", "/g/00000000", "/g/x", "/thumbnail/x"):
        answer = standing.client.get(path, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert answer.status_code in (404, 422)
        assert answer.headers["content-type"].startswith("text/html")


def test_an_error_of_the_server_names_no_path(served, capfd):
    (served.registry.home / "assets" / "staged").rmdir()

    answer = served.record()

    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:mintmark:problem:storage-failed"
    assert str(served.registry.home) not in answer.text
    assert "staged" in capfd.readouterr().err


def test_an_error_nobody_foresaw_says_nothing_and_the_server_goes_on(served, capfd, monkeypatch):
    def broken(*_):
        raise RuntimeError(" ".join(["a", "sec" + "ret"]))

    monkeypatch.setattr(served.registry.catalog, "resolve", broken)

    answer = served.client.get("/v1/generations/@last")

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:mintmark:problem:internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    output = capfd.readouterr().err
    assert "internal error: RuntimeError" in output
    assert "secret" not in output + answer.text
    assert served.client.get("/healthz").status_code == 200


@pytest.mark.parametrize("place", PLACES)
def test_every_error_has_a_status_a_title_and_a_type_in_the_manual(place):
    module = importlib.import_module(place)
    errors = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, MintmarkError)]

    for error in errors:
        problem = told(error.__new__(error))
        assert 400 <= problem["status"] < 600
        assert problem["title"]
        assert re.fullmatch(r"urn:mintmark:problem:[a-z-]+", problem["type"])


def test_the_manual_lists_every_kind_that_http_itself_gives():
    manual = (ROOT / "docs" / "http.md").read_text("utf-8")
    used = set()
    for path in (ROOT / "registry" / "http").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                used |= {argument.value for argument in node.args[1:2] if isinstance(argument, ast.Constant)}
    assert len(used) > 10
    assert not {kind for kind in used if f"`{kind}`" not in manual}


def test_a_problem_of_its_own_says_what_to_do():
    problem = told(Problem(422, "draft-missing", "send it", pointer="/a"))

    assert problem == {
        "type": "urn:mintmark:problem:draft-missing",
        "title": "Draft missing",
        "status": 422,
        "detail": "send it",
        "pointer": "/a",
    }
