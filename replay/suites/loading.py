"""Opens the YAML of a suite: bounded in size and depth, and every way of failing said as one of ours."""

import datetime
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from registry.errors import Refused

LARGEST: Final = 2 << 20  # bytes
DEEPEST: Final = 32  # levels
_BRACKETS: Final = re.compile(r"[][{}]").findall
_NO_DATE: Final = re.compile("[a-z]+ (must be in|is out of range) .*").fullmatch


class BadSuite(Refused):
    """A suite file with a mistake."""

    def __init__(self, path: Path, line: int | None, key: str, why: str) -> None:
        """Name file, line and key, and say what is allowed."""
        at = f"{path}, line {line}" if line else str(path)
        super().__init__(f"{at}: {key or 'the file'}: {why}")
        self.path, self.line, self.key = path, line, key


def load(path: Path, data: bytes) -> object:
    """What the YAML says, with a line for each key (``ruamel.yaml.comments``). Raises: BadSuite."""
    if len(data) > LARGEST:
        raise BadSuite(path, None, "", f"it is larger than {LARGEST >> 20} MiB; suites list ids and policies only")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise BadSuite(path, line, "", "expected UTF-8 text") from None
    if (deep := _too_deep(text)) is not None:
        raise BadSuite(path, deep, "", f"it is nested deeper than {DEEPEST} levels, which no suite is")
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        said = (problem.problem or "").partition(" with value ")[0]  # what a key has twice may be anything
        why = " ".join(filter(None, (problem.context, said)))
        raise BadSuite(path, mark.line + 1 if mark else None, "", f"expected YAML ({short(why)})") from None
    except Exception as problem:  # the parser has many ways of failing; all mean the same to a reader
        why = f": {problem}" if _NO_DATE(str(problem)) else ""
        raise BadSuite(path, None, "", f"expected YAML (a date or number in it is none{why})") from None


def _too_deep(text: str) -> int | None:
    """The line where nesting goes too deep; the parser takes minutes to fail on what is nested some thousand times."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        beginning = line[: len(line) - len(line.lstrip(" -?"))]
        if len(beginning) > 4 * DEEPEST or beginning.count("-") + beginning.count("?") > DEEPEST:
            return number
        for sign in _BRACKETS(line):
            depth = depth + 1 if sign in "[{" else max(0, depth - 1)
            if depth > DEEPEST:
                return number
    return None


def written(value: object) -> str:
    """A value as a suite could have it, for messages; what is large or has parts is named by its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool | ScalarBoolean):
        return str(bool(value)).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    if isinstance(value, str):
        return short(json.dumps(value, ensure_ascii=False), 60)
    if isinstance(value, int | float | datetime.date):  # a datetime is a date
        return short(str(value), 60)
    if isinstance(value, TaggedScalar):
        tag = str(value.tag.value).replace("tag:yaml.org,2002:", "!!")
        return short(f"{value.value} with the tag {tag}", 60)
    kinds = {Mapping: "a mapping", bytes: "binary data", Sequence: "a list"}
    return next((kind for type_, kind in kinds.items() if isinstance(value, type_)), "a set")


def short(text: str, most: int = 200) -> str:
    """A text that fits into a message."""
    return text if len(text) <= most else f"{text[:most]}…"
