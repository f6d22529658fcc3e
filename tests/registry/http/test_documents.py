"""The OpenAPI document and the published shapes: what is committed is what is served and accepted."""

import json
import os
from pathlib import Path

import jsonschema
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from registry.drafting import Draft, read_draft
from registry.errors import SchemaMismatch
from registry.http.app import create_app, openapi_text
from registry.schema import schema_text, validate

SCHEMAS = Path(__file__).parents[3] / "schemas"
DOCUMENTS = ["view/v1", "lookup/v1", "draft/v1"]
SAMPLES = [(document, path) for document in DOCUMENTS for path in sorted((SCHEMAS / document).rglob("*.json"))]
UPDATE = "the routes changed: run this test with MINTMARK_UPDATE_OPENAPI=1 and look at the difference"


def test_the_committed_document_is_the_one_that_is_served(served):
    text = openapi_text(create_app(served.registry))
    if os.environ.get("MINTMARK_UPDATE_OPENAPI") == "1":
        (SCHEMAS / "openapi.json").write_text(text, "utf-8")

    assert (SCHEMAS / "openapi.json").read_text("utf-8") == text, UPDATE
    assert served.client.get("/openapi.json").json() == json.loads(text)


@pytest.mark.parametrize(("document", "path"), SAMPLES, ids=[f"{d}/{p.parent.name}/{p.stem}" for d, p in SAMPLES])
def test_samples_pass_or_fail_as_their_folder_says(document, path):
    value = json.loads(path.read_text("utf-8"))
    outside = jsonschema.Draft202012Validator(json.loads(schema_text(document)))

    if path.parent.name == "valid":
        validate(document, value)
        assert outside.is_valid(value)
    else:
        with pytest.raises(SchemaMismatch):
            validate(document, value)
        assert not outside.is_valid(value)


def test_the_draft_schema_is_the_one_that_drafts_are_read_by():
    published = json.loads(schema_text("draft/v1"))

    assert {key: published[key] for key in ("$ref", "$defs")} == msgspec.json.schema(Draft)
    for path in (SCHEMAS / "draft" / "v1" / "valid").iterdir():
        read_draft(json.loads(path.read_text("utf-8")))


def test_a_view_is_what_its_schema_says(served, draft):
    full = served.record(draft | {"labels": {"app": "shop"}}).json()["id"]

    told = served.client.get(f"/v1/generations/{full}").json()

    validate("view/v1", told)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


def test_no_generated_request_gets_an_answer_the_document_does_not_allow(served, draft):
    full = served.record(draft).json()["id"]
    document = schemathesis.openapi.from_url(f"{served.url}openapi.json")

    tried = {found.ok().label: _try(found.ok(), full) for found in document.get_all_operations()}

    assert len(tried) >= 12
    assert all(tried.values())


def _try(operation, full):
    """A few generated requests; every second one that takes an id gets one that exists."""
    count = 0

    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def run(case):
        nonlocal count
        if count % 2 and "id" in case.path_parameters:
            case.path_parameters["id"] = full
        count += 1
        case.call_and_validate(checks=CHECKS, timeout=20)

    run()
    return count
