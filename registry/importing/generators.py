"""Understands what AUTOMATIC1111, ComfyUI, InvokeAI, NovelAI and Fooocus write into a file's text fields.

sd-parsers reads the formats. Its own way to the fields is not used: it remembers the last picture by ``id()``, which
Python gives to the next one, and a file would be told the prompt of another. Its patterns take quadratic time on some
texts and its walk through a graph of nodes grows with the product of nodes and samplers, so both are bounded here.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sd_parsers.data import PromptInfo
from sd_parsers.parsers import AUTOMATIC1111Parser, ComfyUIParser, FooocusParser, InvokeAIParser, NovelAIParser

from registry.canonical import JSON
from registry.importing.found import Found, UnreadableMetadata
from registry.verbatim import number

_STEPS: Final = 3_000_000  # of the walk through a graph: some seconds at worst
_NEGATIVE: Final = "Negative prompt:"
_MASKED: Final = "Negative prompt\0:"
_BLANKS: Final = re.compile(r"\s{1000}")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?").fullmatch
_SIZE: Final = re.compile(r"([1-9][0-9]{0,5})\s*[xX]\s*([1-9][0-9]{0,5})").fullmatch
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}").fullmatch
_OPEN_TEXTS: Final = {"scheduler", "sampler", "noise_schedule", "performance"}
_MOST_SETTINGS: Final = 64
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")

_PARSERS: Final = (
    ("fooocus", [("parameters",)], FooocusParser),
    ("automatic1111", [("parameters",)], AUTOMATIC1111Parser),
    ("comfyui", [("prompt",)], ComfyUIParser),
    ("invokeai", [("sd-metadata",), ("Dream",), ("invokeai_metadata",)], InvokeAIParser),
    ("novelai", [("Comment", "Source")], NovelAIParser),
)


def read_generator(name: str, fields: Mapping[str, str]) -> Found | None:
    """What the fields tell about the making of a picture; None where no generator wrote them.

    Args:
        name: of the file, for errors.
        fields: from ``read_fields``.

    Raises:
        UnreadableMetadata: a generator wrote them, and they are damaged or more than can be read in a bounded time.
    """
    told: dict[str, Any] = dict(fields)
    if "parameters" not in told and "UserComment" in told:
        told["parameters"] = told["UserComment"]
    why = None
    for tool, keys, parser in _PARSERS:
        if not any(set(some) <= set(told) for some in keys):
            continue
        if "parameters" in keys[0] and told["parameters"].lstrip().startswith("{") is not (tool == "fooocus"):
            continue
        try:
            info = parser().parse(_bounded(tool, told))
            if info.samplers:
                return _found(tool, info, fields)
            problem = "it names no sampler"
        except Exception as found:  # sd-parsers lets whatever a damaged text causes through
            problem = _line(str(found))
        if _certain(tool, fields):
            why = f"what {tool} wrote cannot be read ({problem})"
    if why:
        raise UnreadableMetadata(name, why)
    return None


def _certain(tool: str, fields: Mapping[str, str]) -> bool:
    """Whether nobody else writes such fields; a comment may be about anything."""
    if tool in ("fooocus", "automatic1111"):
        return "parameters" in fields
    if tool == "comfyui":
        return {"prompt", "workflow"} <= set(fields)
    return tool == "invokeai" or fields.get("Software") == "NovelAI"


class _TooMuch(ValueError):
    """Metadata that could take minutes to read."""


def _bounded(tool: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the parser gets them.

    Raises:
        _TooMuch: reading them could take minutes.
        ValueError: no JSON.
    """
    fields = dict(told)
    if tool == "automatic1111":
        text = fields["parameters"]
        if text.count("Hashes:") > 16 or text.count("\n") > 10_000:
            raise _TooMuch("its parameters name hashes more than 16 times, or have more than 10,000 lines")
        # The parser knows one negative prompt; what stands there earlier is part of the prompt's own words.
        before, mark, after = f"\n{text}".rpartition(f"\n{_NEGATIVE}")
        fields["parameters"] = before.replace(_NEGATIVE, _MASKED) + mark + after.replace(_NEGATIVE, _MASKED)
    if tool in ("invokeai", "novelai"):
        short = (fields.get("Dream", ""), fields.get("Source", ""))
        if any(_BLANKS.search(text) for text in short) or len(short[1]) > 4096:
            raise _TooMuch("its parameters hold a thousand blanks in a row")
    if "invokeai_metadata" in fields and tool == "invokeai":
        told_by = json.loads(fields["invokeai_metadata"])
        model = told_by.get("model") if isinstance(told_by, dict) else None
        if isinstance(model, dict) and "name" in model:  # as versions from 4 on write it
            fields["invokeai_metadata"] = json.dumps(told_by | {"model": {"model_name": model["name"]} | model})
    if tool == "comfyui":
        prompt = json.loads(fields["prompt"])
        if not isinstance(prompt, dict):
            raise _TooMuch("its graph of nodes is no object")
        fields["prompt"] = prompt
        fields["workflow"] = {"links": list(_links(prompt))}
        if (steps := _steps(prompt, len(fields["workflow"]["links"]))) > _STEPS:
            raise _TooMuch(f"its graph of nodes takes {steps:,} steps to read, the most is {_STEPS:,}")
    return fields


def _links(prompt: Mapping[str, Any]) -> Iterator[tuple[int, str, int, str, int, str]]:
    """The edges of the graph that ran: the drawing beside it may be left out, and has had several forms."""
    for target, node in prompt.items():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        for slot, value in inputs.items() if isinstance(inputs, dict) else ():
            if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
                yield 0, str(value[0]), 0, str(target), 0, slot.upper()


def _steps(prompt: Mapping[str, Any], links: int) -> int:
    nodes = [node.get("inputs") for node in prompt.values() if isinstance(node, dict)]
    inputs = [given for given in nodes if isinstance(given, dict)]
    samplers = sum({"steps", "cfg"} <= set(given) for given in inputs)
    texts = sum(isinstance(given.get(key), str) for given in inputs for key in ("text", "positive", "negative"))
    return samplers * (2 * texts * min(len(prompt), 1000) + 3 * (links + len(prompt)))


def _found(tool: str, info: PromptInfo, fields: Mapping[str, str]) -> Found:
    sampler = next((one for one in info.samplers if one.model), info.samplers[0])
    parameters = {str(key): value for key, value in sampler.parameters.items()}
    seed = next((str(parameters[key]) for key in ("seed", "noise_seed") if _plain(parameters.get(key))), None)
    others = info.metadata if tool != "comfyui" else {}  # of nodes that took no part in sampling
    model = sampler.model
    name = _line(str(model.name)) if model and isinstance(model.name, str) else None
    said = (model.hash or model.metadata.get("hash")) if model else None
    checksum = _line(said) if isinstance(said, str) else None
    return Found(
        tool=tool,
        model=name or checksum or None,
        components={"checkpoint_hash": checksum} if checksum else None,
        prompt=_text(info.full_prompt),
        negative_prompt=_text(info.full_negative_prompt),
        seed=_line(seed)[:128] or None if seed else None,
        settings=dict(list(_settings({"sampler": sampler.name} | parameters | dict(others)))[:_MOST_SETTINGS]),
        raw=json.dumps(dict(fields), ensure_ascii=False),
    )


def _settings(values: Mapping[str, Any]) -> Iterator[tuple[str, JSON]]:
    """Settings that may stand open: numbers, sizes and the few texts that are names of methods."""
    for key, value in values.items():
        name = str(key).strip().lower().replace(" ", "_")
        if not _NAME(name) or name in ("seed", "noise_seed"):
            continue
        if isinstance(value, bool):
            yield name, value
        elif isinstance(value, int | float) and math.isfinite(value):
            yield name, number(json.dumps(value))
        elif isinstance(value, str) and _NUMBER(value.strip()):
            yield name, number(value.strip())
        elif isinstance(value, str) and name == "size" and (size := _SIZE(value.strip())):
            yield from (("width", int(size[1])), ("height", int(size[2])))
        elif isinstance(value, str) and name in _OPEN_TEXTS and value:
            yield name, _line(value)[:128]


def _plain(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip() != ""


def _text(value: object) -> str | None:
    text = str(value).replace(_MASKED, _NEGATIVE).strip().encode("utf-8", "replace").decode("utf-8")
    return text or None


def _line(text: str) -> str:
    """One line of at most 256 characters that names may have."""
    return _CONTROLS.sub(" ", text.encode("utf-8", "replace").decode("utf-8")).strip()[:256].strip()
