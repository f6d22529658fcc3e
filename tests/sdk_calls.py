"""What SDKs sent to emulated vendors: read, recorded, sent again, and held against published schemas."""

import functools
import gzip
import json
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import jsonschema
import pytest
import requests
import yaml
from emulator.server import KEY

from registry.capture.description import shipped
from registry.capture.exchange import Exchange, is_submit, read
from registry.capture.request import request_digest
from registry.manifest import Request
from registry.record import record
from registry.sealing import disclose
from replay.rerun import replay

VECTORS = Path(__file__).parents[2] / "shared" / "vectors"
FILES = ("/content", "/view")
"""Ends of paths where outputs lie on a vendor's own host: they are files, no answers about a job."""


def exchanges(emulator):
    """Everything that crossed the wire, as a recorder sees it."""
    return [
        Exchange(
            request.method,
            f"http://127.0.0.1:{emulator.port}{request.path}?{urlencode(request.query, doseq=True)}".rstrip("?"),
            list(request.headers.items()),
            request.body,
            reply.status,
            list(reply.encoded()[1].items()),
            reply.encoded()[0],
        )
        for request, reply in emulator.exchanges
    ]


def recorded(emulator, registry, name, folder):
    """The call that an SDK made, read and recorded: the recorded manifest's id and its open request."""
    description = shipped().by_id(name)
    base = emulator.url(description.provider)
    seen = [one for one in exchanges(emulator) if "/cdn/" not in one.url and not urlsplit(one.url).path.endswith(FILES)]
    at = next(n for n, one in enumerate(seen) if is_submit(description, one.method, one.url, base_url=base))
    last = seen[-1] if len(seen) > at + 1 else None
    reading = read(description, seen[at], folder, last=last, base_url=base)
    if reading.wanted:
        files = {url: folder / f"fetched-{n}" for n, url in enumerate(reading.wanted)}
        key = {description.auth.header: description.auth.value.format(secret=KEY)} if description.auth else {}
        for url, path in files.items():
            own = url.startswith("/")
            found = requests.get(base + url if own else url, headers=key if own else {}, timeout=10)
            path.write_bytes(found.content)
        reading = read(description, seen[at], folder, last=last, base_url=base, downloads=files)
    assert reading.finished and not reading.wanted
    made = record(registry, reading.draft, reading.files)
    return made, opened(registry, made.id)


def opened(registry, manifest_id):
    value = disclose(registry.catalog.manifest(manifest_id).to_json(), registry.vault.get(manifest_id))
    return Request(**value["request"])


def closes(emulator, registry, name, folder):
    """Record what an SDK did, replay it with nothing edited, and see the same request go out."""
    made, request = recorded(emulator, registry, name, folder)
    charges = emulator.charges(shipped().by_id(name).provider)

    answer = replay(registry, made.id)

    assert answer.refused is None, answer.refused
    again = answer.replays[0].recorded
    assert again.manifest.outcome.class_ == "succeeded", again.manifest.outcome
    assert request_digest(opened(registry, again.id)) == request_digest(request)
    assert emulator.charges(shipped().by_id(name).provider) == charges + 1
    assert made.manifest.recorder.confidence == "full"
    assert made.manifest.request.origin == "captured"
    return made, answer


def response_schema(name):
    """A validator for a schema of OpenAI's own description."""
    file = VECTORS / "openai" / "openapi.json.gz"
    if not file.exists():
        pytest.skip("needs ../shared/vectors/openai")
    return _schema(_openai(file), name)


def deepgram_schema(name):
    """A validator for a schema of Deepgram's own description."""
    file = VECTORS / "deepgram" / "openapi.yml"
    if not file.exists():
        pytest.skip("needs ../shared/vectors/deepgram")
    return _schema(_deepgram(file), name)


@functools.cache
def _openai(file):
    return json.loads(gzip.decompress(file.read_bytes()))


@functools.cache
def _deepgram(file):
    return yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)


def _schema(document, name):
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )
