"""The same call direct, under the hook and through the proxy: the same result, and one record of it."""

import logging

import pytest
import requests
from capture_flows import FLOWS, KEY, PROMPT

from registry.capturing.drain import drain
from registry.capturing.known import Known
from registry.capturing.recorder import Recorder
from registry.digest import digests_of
from registry.home import create_at

every_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)


def found_in(home, needle):
    return sorted(
        str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and needle in path.read_bytes()
    )


def outputs(manifest):
    return [output.digest["sha256"] for output in manifest.outputs]


def compare(flow, emulator, capturing, url, caplog):
    direct = flow(emulator.url)
    emulator.reset()

    with caplog.at_level(logging.DEBUG, logger="mintmark.capture"):
        captured = flow(url)
        capturing.settled()

    assert captured == direct
    assert found_in(capturing.home, KEY.encode()) == []
    [manifest] = capturing.recorded()
    assert manifest.outcome.class_ == "succeeded"
    assert manifest.recorder.confidence == "full"
    assert (manifest.outcome.latency_ms.first_partial is not None) == ("events" in flow.__name__)
    assert outputs(manifest) == [digests_of(one).sha256 for one in captured]
    assert capturing.opened("/prompt/submitted") == [PROMPT]
    assert list(capturing.spool.waiting()) == []
    assert found_in(capturing.home, KEY.encode()) == []
    assert {name.partition("-")[0] for name in found_in(capturing.home, PROMPT.encode())} <= {"vault.db", "index.db"}
    ours = [record for record in caplog.records if record.name.startswith(("mintmark", "registry"))]
    assert [record.getMessage() for record in ours if KEY in record.getMessage()] == []
    assert emulator.leaks == []
    return manifest


@every_flow
def test_under_the_hook(flow, emulator, caplog, hooking):
    def url(provider):
        hooking.begin()  # for the second run only
        return emulator.url(provider)

    manifest = compare(flow, emulator, hooking, url, caplog)

    assert manifest.recorder.capture == "hook"


@every_flow
def test_through_the_proxy(flow, emulator, caplog, proxied):
    manifest = compare(flow, emulator, proxied, proxied.url, caplog)

    assert manifest.recorder.capture == "proxy"
    assert manifest.provider.host == f"127.0.0.1:{emulator.port}"


def test_callbacks_and_keys_in_queries_are_kept_nowhere(emulator, proxied):
    body = {"prompt": PROMPT, "webhook_url": "https://example.org/hook?token=callback-canary-1"}
    called_back = "https://example.org/callback-canary-2"
    address = f"{proxied.url('wavespeed')}/api/v3/wavespeed-ai/flux-dev?webhook={called_back}&key={KEY}"

    answer = requests.post(address, json=body, headers={"authorization": f"Bearer {KEY}"}, timeout=10)

    assert answer.status_code == 200
    proxied.settled()
    assert len(list(proxied.spool.waiting())) == 1
    assert [found_in(proxied.home, one) for one in (KEY.encode(), b"callback-canary", b"X-Amz")] == [[], [], []]
    [manifest] = proxied.recorded()
    assert manifest.outcome.class_ == "succeeded"
    assert [found_in(proxied.home, one) for one in (KEY.encode(), b"callback-canary", b"X-Amz")] == [[], [], []]
    assert b"callback-canary-2" in repr(emulator.seen[0].query).encode()  # the provider got everything as it was sent


def test_a_job_that_nobody_asks_about_is_finished_with_the_callers_key(emulator, proxied):
    answer = requests.post(
        f"{proxied.url('wavespeed')}/api/v3/wavespeed-ai/flux-dev",
        json={"prompt": PROMPT},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=10,
    )

    [manifest] = proxied.recorded()

    assert manifest.outcome.job_id == answer.json()["data"]["id"]
    assert len(manifest.outputs) == 1
    polls = [seen for seen in emulator.seen if seen.path.endswith("/result")]
    assert len(polls) >= 1 and all(seen.headers["authorization"] == f"Bearer {KEY}" for seen in polls)
    assert emulator.leaks == []
    assert emulator.charges("wavespeed") == 1


def test_a_job_that_does_not_end_with_its_program_is_recorded_as_unfinished(emulator, tmp_path):
    home = tmp_path / ".mintmark"
    recorder = Recorder(home, known=Known(), patience_s=60)
    seen = recorder.observe("POST", f"{emulator.url('wavespeed')}/api/v3/wavespeed-ai/flux-dev", [], "hook")
    seen.sent(b'{"prompt": "a hill"}')
    seen.answered(200, [("content-type", "application/json")])
    seen.received(b'{"data": {"id": "job-1", "status": "processing", "outputs": []}}')
    seen.end()

    recorder.close(0.2)

    registry = create_at(home)[0]
    [done] = drain(registry, recorder.spool)
    manifest = registry.catalog.manifest(done.id)
    registry.close()
    assert (manifest.outcome.class_, manifest.outcome.state, manifest.outcome.job_id) == ("timeout", "unknown", "job-1")
