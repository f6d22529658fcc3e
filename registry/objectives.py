"""What a team holds its providers to: objectives of workflows and weights of the scorecard, as TOML states them."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from registry.errors import InvalidValue

DIMENSIONS: Final = ("latency", "versioning", "reproducibility", "cost", "integration", "sla")
TABLES: Final = ("slo", "scorecard")
_TIMES: Final = ("p50_ms", "p95_ms", "p99_ms")
_KEYS: Final = (*_TIMES, "timeout_rate", "class")


@dataclass(frozen=True, slots=True)
class Objective:
    """What one workflow is promised.

    ``times`` maps ``p50_ms``, ``p95_ms`` and ``p99_ms`` to the most milliseconds; ``timeout_rate`` is the largest
    share of calls that may run out of time, 0 to 1; ``sla_class`` is a word of the team's own.
    """

    workflow: str
    times: Mapping[str, int]
    timeout_rate: float | None = None
    sla_class: str | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """Objectives by workflow, and the weight of each dimension of the scorecard (1 where none is given)."""

    objectives: Mapping[str, Objective] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(DIMENSIONS, 1.0)))


def read_holding(path: Path, content: Mapping[str, Any]) -> Holding:
    """The tables ``slo`` and ``scorecard`` of a settings file.

    Raises:
        InvalidValue: an unknown key or a value it cannot have; it names file and key.
    """
    objectives = content.get("slo", {})
    if not isinstance(objectives, dict):
        raise InvalidValue(f"{path}, slo", objectives, 'a table for each workflow, such as [slo."storefront-hero"]')
    return Holding(
        {name: _objective(path, name, table) for name, table in objectives.items()},
        _weights(f"{path}, scorecard", content.get("scorecard", {})),
    )


def read_weights(path: Path) -> Mapping[str, float]:
    """Weights from a TOML file: ``latency = 2`` and so on, at the top or in a table ``[scorecard]``.

    Raises:
        InvalidValue: it cannot be read, or holds something else.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise InvalidValue("--weights", str(path), f"a file that can be read ({problem.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidValue(str(path), str(problem), "TOML in UTF-8") from None
    return _weights(str(path), content["scorecard"] if set(content) == {"scorecard"} else content)


def _objective(path: Path, workflow: str, table: object) -> Objective:
    where = f'{path}, slo."{workflow}"'
    if not isinstance(table, dict) or not table:
        raise InvalidValue(where, table, f"a table with {', '.join(_KEYS)}")
    for key, value in table.items():
        if key not in _KEYS:
            raise InvalidValue(where, key, f"a key of an objective; {_nearest(key, _KEYS)}")
        if key in _TIMES and (type(value) is not int or value <= 0):
            raise InvalidValue(f"{where}.{key}", value, "a whole number of milliseconds above 0")
        if key == "timeout_rate" and not (type(value) in (int, float) and 0 <= value <= 1):
            raise InvalidValue(f"{where}.{key}", value, "a share from 0 to 1, such as 0.01")
        if key == "class" and (type(value) is not str or not value.isprintable() or not value):
            raise InvalidValue(f"{where}.{key}", value, "a text, such as interactive or batch")
    return Objective(
        workflow, {key: table[key] for key in _TIMES if key in table}, table.get("timeout_rate"), table.get("class")
    )


def _weights(where: str, table: object) -> Mapping[str, float]:
    if not isinstance(table, dict):
        raise InvalidValue(where, table, f"a table of weights for {', '.join(DIMENSIONS)}")
    for key, value in table.items():
        if key not in DIMENSIONS:
            raise InvalidValue(where, key, f"a dimension of the scorecard; {_nearest(key, DIMENSIONS)}")
        if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
            raise InvalidValue(f"{where}.{key}", value, "a weight: a number of 0 or more")
    weights = {name: float(table.get(name, 1)) for name in DIMENSIONS}
    if not any(weights.values()):
        raise InvalidValue(where, table, "a table with at least one weight above 0")
    return weights


def _nearest(key: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(key, known, 1)
    return f"did you mean {near[0]!r}" if near else f"known are {', '.join(known)}"
