"""The gate: documents against their published JSON Schemas.

The schemas are the one definition of validity, for us and for anyone else;
they lie in the ``schemas`` package and are compiled once per process.
"""

import json
from functools import cache
from importlib import resources

import jsonschema_rs

from registry.canonical import JSON, escape
from registry.errors import SchemaMismatch


def validate(document: str, value: JSON) -> None:
    """Let ``value`` pass, or say what is wrong with it.

    Args:
        document: name and version, such as ``manifest/v1``.
        value: JSON as ``registry.canonical.parse`` gives it.

    Raises:
        SchemaMismatch: naming the deepest place that does not fit.
    """
    schema = _compiled(document)
    if schema.is_valid(value):
        return
    problem = max(schema.iter_errors(value), key=lambda error: len(error.instance_path))
    pointer = "".join(f"/{escape(token)}" for token in problem.instance_path)
    raise SchemaMismatch(document, pointer, _short(problem.message))


def schema_text(document: str) -> str:
    """The published schema, as it lies in ``schemas/``."""
    return resources.files("schemas").joinpath(f"{document}.schema.json").read_text("utf-8")


@cache
def _compiled(document: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text(document)))


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:200]} … {message[-90:]}"
