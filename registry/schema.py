"""The gate: documents against their published JSON Schemas.

The schemas are the one definition of validity, for us and for anyone else;
they lie in the ``schemas`` package and are compiled once per process.
"""

import json
from functools import cache
from importlib import resources

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from registry.canonical import JSON, escape
from registry.errors import SchemaMismatch

FORMS = {
    "^[a-z0-9][a-z0-9._-]{0,63}$": "a name of 1 to 64 characters a-z 0-9 . _ - that begins with a letter or digit",
    "^[a-z]+(\\.[a-z]+)+$": "medium.verb in lower case, such as image.generate, image.edit or audio.transcribe",
    "^[A-Za-z0-9._:-]{8,128}$": "an id of 8 to 128 characters A-Z a-z 0-9 . _ : -",
    "^[^\\u0000-\\u001f\\u007f]+$": "a text on one line without control characters",
}
"""What the patterns of the schemas mean, in words."""


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
    raise SchemaMismatch(document, pointer, _short(_in_words(problem)))


def schema_text(document: str) -> str:
    """The published schema, as it lies in ``schemas/``."""
    return resources.files("schemas").joinpath(f"{document}.schema.json").read_text("utf-8")


@cache
def _compiled(document: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text(document)))


def _in_words(problem: jsonschema_rs.ValidationError) -> str:
    """What is wrong, without a regular expression where there are words for it."""
    kind = problem.kind
    if isinstance(kind, ValidationErrorKind.Pattern) and (form := FORMS.get(kind.pattern)):
        return f"{json.dumps(problem.instance, ensure_ascii=False)} is not {form}"
    return problem.message


def _short(message: str) -> str:
    return message if len(message) <= 300 else f"{message[:200]} … {message[-90:]}"
