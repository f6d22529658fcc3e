"""The hook: what it leaves as it was, what is said beside a call, and what becomes of calls that end badly."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import aiohttp
import httpx
import httpx2
import openai
import pytest
import requests
from capture_flows import BODY, HEADERS, KEY, MODEL, httpx_stream

from registry.capturing import context, generates, install, uninstall
from registry.capturing.drain import drain
from registry.capturing.spool import Spool
from registry.errors import InvalidValue
from registry.home import create_at

METHODS = [
    (httpx.HTTPTransport, "handle_request"), (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpx2.HTTPTransport, "handle_request"), (httpx2.AsyncHTTPTransport, "handle_async_request"),
    (requests.adapters.HTTPAdapter, "send"), (aiohttp.ClientSession, "_request"), (aiohttp.ClientResponse, "start"),
]  # fmt: skip


def path(emulator):
    return f"{emulator.url('openai')}/v1/images/generations"


def test_uninstalling_puts_every_method_back(hooking):
    before = [getattr(owner, name) for owner, name in METHODS]

    hooking.begin()
    during = [getattr(owner, name) for owner, name in METHODS]
    again = install(hooking.home)
    uninstall(1)

    assert again is hooking.recorder
    assert not any(one is other for one, other in zip(before, during, strict=True))
    assert [getattr(owner, name) for owner, name in METHODS] == before


def test_hosts_that_nobody_described_are_not_even_looked_at(hooked, upstream):
    async def answer(reader, writer):
        await upstream.head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")

    upstream.answer = answer
    address = f"http://127.0.0.1:{upstream.port}/v1/images/generations"

    assert requests.post(address, json=BODY, timeout=5).content == httpx.post(address, json=BODY).content == b"hi"
    assert not hooked.spool.folder.exists()


def test_context_keeps_tasks_and_blocks_apart(emulator, hooked):
    async def ask(client, name):
        with context(workflow=name, labels={"inner": name}):
            await asyncio.sleep(0.01)
            await client.images.generate(**BODY)

    async def run():
        async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{emulator.url('openai')}/v1") as client:
            with context(labels={"outer": "1"}, subject="Ann"):
                await asyncio.gather(ask(client, "a"), ask(client, "b"))
            await client.images.generate(**BODY)

    asyncio.run(run())

    said = sorted((made.context.workflow or "", made.labels) for made in hooked.recorded())
    assert said == [("", {}), ("a", {"outer": "1", "inner": "a"}), ("b", {"outer": "1", "inner": "b"})]
    assert hooked.opened("/context/subject") == ["Ann", "Ann"]


def test_a_parent_is_named_by_the_start_of_its_id(emulator, hooked):
    httpx_stream(emulator.url)
    hooked.recorded()

    with context(parent=f"variant={hooked.ids[0][7:19]}"):
        httpx_stream(emulator.url)

    [made] = hooked.recorded()
    assert [(parent.id, parent.relation) for parent in made.parents] == [(hooked.ids[0], "variant")]


@pytest.mark.parametrize(
    "said", [{"labels": {"Big": "x"}}, {"labels": {"a": "x\n"}}, {"workflow": ""}, {"parent": "x="}]
)
def test_context_refuses_what_no_record_takes(said):
    with pytest.raises(InvalidValue), context(**said):
        pass


def test_a_refused_call_raises_as_ever_and_is_recorded(emulator, hooked):
    client = openai.OpenAI(api_key=KEY, base_url=f"{emulator.url('openai')}/v1", max_retries=0)
    emulator.misbehave("blocked")

    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(**BODY)

    [made] = hooked.recorded()
    assert "safety system" in str(refused.value)
    assert (made.outcome.class_, made.outcome.safety, made.outcome.http_status) == ("blocked", "refused", 400)


def _aiohttp(address):
    async def run():
        async with aiohttp.ClientSession() as session, session.post(address, json=BODY, headers=HEADERS) as answer:
            await answer.read()

    asyncio.run(run())


CLIENTS = {
    "httpx": lambda address: httpx.post(address, json=BODY, headers=HEADERS),
    "httpx2": lambda address: httpx2.post(address, json=BODY, headers=HEADERS),
    "requests": lambda address: requests.post(address, json=BODY, headers=HEADERS, timeout=5),
    "aiohttp": _aiohttp,
}
every_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


@every_client
@pytest.mark.parametrize("fault", ["cut-after", "cut-body", "length"])
def test_a_call_that_is_cut_raises_as_ever_and_is_ambiguous(emulator, hooked, client, fault):
    emulator.misbehave(fault)

    with pytest.raises(Exception) as cut:  # each client has an exception of its own
        client(path(emulator))

    assert "mintmark" not in str(cut.value)
    [made] = hooked.recorded()
    assert (made.outcome.class_, made.outcome.http_status, made.outcome.attempts) == ("ambiguous", None, 1)
    assert emulator.charges("openai") == 1


@every_client
def test_a_call_that_never_left_is_no_generation(hooked, client, monkeypatch, emulator):
    place = hooked.recorder.known.places["openai"]
    object.__setattr__(place, "base_url", "http://127.0.0.1:1")
    object.__setattr__(place, "hosts", ("127.0.0.1:1",))

    with pytest.raises(Exception):  # noqa: B017 - each client has an exception of its own
        client("http://127.0.0.1:1/v1/images/generations")

    assert hooked.recorded() == []


@every_client
def test_nothing_of_a_failing_recorder_reaches_the_caller(emulator, hooked, client):
    hooked.home.write_text("no folder")

    client(path(emulator))

    hooked.home.unlink()
    assert emulator.charges("openai") == 1


def test_an_answer_that_nobody_reads_to_its_end_is_told_as_that(emulator, hooked):
    with httpx.stream("POST", path(emulator), json=BODY, headers=HEADERS) as answer:
        next(answer.iter_raw(10))

    [made] = hooked.recorded()
    assert made.outcome.class_ in ("ambiguous", "succeeded")  # it may all have come in one piece
    assert (made.outcome.http_status is None) is (made.outcome.class_ == "ambiguous")


def test_threads_at_once_lose_nothing(emulator, hooked):
    threads = [threading.Thread(target=httpx_stream, args=(emulator.url,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    made = hooked.recorded()

    assert [one.outcome.class_ for one in made] == ["succeeded"] * 8
    assert len({one.outputs[0].digest["sha256"] for one in made}) == 8


def test_what_cannot_be_recorded_waits_and_is_recorded_once_it_can(emulator, hooked):
    httpx_stream(emulator.url)
    hooked.settled()
    registry = create_at(hooked.home)[0]
    shutil.move(hooked.home / "keys", hooked.home / "elsewhere")

    [failed] = drain(registry, hooked.spool)
    shutil.move(hooked.home / "elsewhere", hooked.home / "keys")
    [entry] = hooked.spool.waiting()
    noted = hooked.spool.read(entry)
    [recorded] = drain(registry, hooked.spool)
    registry.close()

    assert "signing key is missing" in failed.why and noted["attempts"] == 1
    assert recorded.id and not recorded.first and list(hooked.spool.waiting()) == []


def test_recording_a_call_twice_is_recording_it_once(emulator, hooked, tmp_path):
    httpx_stream(emulator.url)
    hooked.settled()
    [entry] = hooked.spool.waiting()
    shutil.copytree(entry, tmp_path / "copy")

    hooked.recorded()
    shutil.copytree(tmp_path / "copy", entry)  # a crash between the record and the spool
    hooked.recorded()

    assert len(set(hooked.ids)) == 1


def test_a_decorated_function_is_recorded_with_what_it_returns(hooked, picture):
    made = picture("out.png")

    @generates(provider="studio", model="painter-7", settings=["size"])
    def paint(prompt, seed=3, size="small"):
        return made

    @generates(provider="studio", model="painter-7", prompt="words", seed=None)
    async def dream(words):
        raise RuntimeError("no paint")

    assert paint("a red door") == made
    with pytest.raises(RuntimeError, match="no paint"):
        asyncio.run(dream("a blue door"))

    first, second = hooked.recorded()
    assert (first.model.requested, first.seed.requested, first.settings) == ("painter-7", "3", {"size": "small"})
    assert (first.operation, first.recorder.capture, first.outcome.class_) == (
        "image.generate",
        "hook",
        "succeeded",
    )
    assert (second.outcome.class_, second.outputs) == ("failed", [])
    assert hooked.opened("/prompt/submitted") == ["a red door", "a blue door"]


def test_a_decorated_call_that_is_canceled_is_recorded_as_that(hooked):
    began = asyncio.Event()

    @generates(provider="studio", model="painter-7")
    async def dream(prompt):
        began.set()
        await asyncio.sleep(60)

    @generates(provider="studio", model="painter-7")
    def paint(prompt):
        raise KeyboardInterrupt

    async def impatient():
        task = asyncio.create_task(dream("a blue door"))
        await began.wait()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(impatient())
    with pytest.raises(KeyboardInterrupt):
        paint("a red door")

    made = hooked.recorded()
    assert [(one.outcome.class_, one.outcome.state, one.outputs) for one in made] == [("canceled", "canceled", [])] * 2
    assert hooked.opened("/outcome/error") == ["CancelledError", "KeyboardInterrupt"]


def test_a_generator_cannot_be_decorated():
    def frames(prompt):
        yield b"one"

    async def streamed(prompt):
        yield b"one"

    for function in (frames, streamed):
        with pytest.raises(InvalidValue, match=f"{function.__name__}.*return a list"):
            generates(provider="studio", model="painter-7")(function)


def test_a_decorated_function_without_the_hook_is_just_that(tmp_path):
    @generates(provider="studio", model="painter-7")
    def paint(prompt):
        return b"bytes"

    assert paint("x") == b"bytes" and paint.__name__ == "paint"


FORKING = f"""
import os, sys, requests
from registry.capturing import install
recorder = install(sys.argv[1])
ask = lambda: requests.post(os.environ["URL"], json={BODY!r}, headers={HEADERS!r}, timeout=10)
ask()
child = os.fork()
ask()
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_process_that_was_forked_off_records_its_own_calls(emulator, tmp_path):
    environment = os.environ | {"URL": path(emulator)}
    home = tmp_path / ".mintmark"

    subprocess.run([sys.executable, "-c", FORKING, str(home)], env=environment, check=True, timeout=60)

    registry = create_at(home)[0]
    for _ in drain(registry, Spool(home)):  # what their own drains have not come to yet
        pass
    assert registry.catalog.generations() == 3
    registry.close()


APP = f"""
import base64, os, sys, sitecustomize
from openai import OpenAI
client = OpenAI(api_key=os.environ["KEY"], base_url=os.environ["URL"] + "/v1")
answer = client.images.generate(model="{MODEL}", prompt="a stone bridge")
open("out.png", "wb").write(base64.b64decode(answer.data[0].b64_json))
print("theirs" if hasattr(sys, "their_sitecustomize") else "lost")
sys.exit(7)
"""


def test_a_program_is_captured_without_an_edit(emulator, tmp_path):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "sitecustomize.py").write_text("import sys\nsys.their_sitecustomize = True\n")
    mintmark = str(Path(sys.executable).with_name("mintmark"))
    added = {"KEY": KEY, "URL": emulator.url("openai"), "PYTHONPATH": str(tmp_path / "theirs")}
    environment = os.environ | added | {"MINTMARK_HOME": str(tmp_path / ".mintmark")}

    def run(*words):
        return subprocess.run(
            [mintmark, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
        )

    ran = run("capture", "--workflow", "hero", "--label", "app=shop", "--", sys.executable, "app.py")

    assert (ran.returncode, ran.stdout) == (7, "theirs\n")
    assert ran.stderr.splitlines()[-1] == "recorded 1 generation; try mintmark lookup out.png"
    found = run("lookup", "out.png")
    assert found.returncode == 0 and MODEL in found.stdout
    missing = run("capture", "--", "no-such-program")
    assert missing.returncode == 2 and "no-such-program" in missing.stderr
