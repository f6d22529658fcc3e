"""Calls as programs make them, by the vendors' own SDKs and by plain clients; each answers the bytes that it got."""

import asyncio
import base64
import io
import json

import aiohttp
import httpx
import httpx2
import openai
import replicate
import requests
import wavespeed
from emulator import media
from emulator.server import KEY

PROMPT = "a canary on a lighthouse"
MODEL = "gpt-image-2-2026-04-21"
HEADERS = {"authorization": f"Bearer {KEY}"}
BODY = {"model": MODEL, "prompt": PROMPT}


def openai_sync(url):
    client = openai.OpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0)
    return [base64.b64decode(one.b64_json) for one in client.images.generate(**BODY, n=2).data]


def openai_events(url):
    client = openai.OpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0)
    told = client.images.generate(**BODY, stream=True, partial_images=2)
    return [base64.b64decode(one.b64_json) for one in told if one.type == "image_generation.completed"]


def openai_events_async(url):
    async def run():
        async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0) as client:
            told = [one async for one in await client.images.generate(**BODY, stream=True, partial_images=1)]
            return [base64.b64decode(one.b64_json) for one in told if one.type == "image_generation.completed"]

    return asyncio.run(run())


def openai_async(url):
    async def run():
        async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0) as client:
            return await client.images.generate(**BODY)

    return [base64.b64decode(one.b64_json) for one in asyncio.run(run()).data]


def openai_edit(url):
    client = openai.OpenAI(api_key=KEY, base_url=f"{url('openai')}/v1", max_retries=0)
    picture = ("in.png", media.png("in"), "image/png")
    return [base64.b64decode(one.b64_json) for one in client.images.edit(**BODY, image=picture).data]


def replicate_run(url):
    client = replicate.Client(api_token=KEY, base_url=url("replicate"))
    made = client.run("black-forest-labs/flux-schnell", input={"prompt": PROMPT, "seed": 7}, use_file_output=False)
    return [requests.get(address, timeout=10).content for address in made]


def wavespeed_run(url):
    client = wavespeed.Client(api_key=KEY, base_url=url("wavespeed"))
    made = client.run("wavespeed-ai/flux-dev", {"prompt": PROMPT, "seed": 7}, poll_interval=0.01)
    return [requests.get(address, timeout=10).content for address in made["outputs"]]


def requests_stream(url):
    with requests.post(
        f"{url('openai')}/v1/images/generations", json=BODY, headers=HEADERS, stream=True, timeout=10
    ) as answer:
        return _pictures(b"".join(answer.iter_content(1000)))


def requests_file(url):
    sent = io.BytesIO(json.dumps(BODY).encode())
    headers = HEADERS | {"content-type": "application/json"}
    return _pictures(
        requests.post(f"{url('openai')}/v1/images/generations", data=sent, headers=headers, timeout=10).content
    )


def httpx_stream(url):
    with httpx.stream("POST", f"{url('openai')}/v1/images/generations", json=BODY, headers=HEADERS) as answer:
        return _pictures(b"".join(answer.iter_raw(777)))


def httpx2_upload(url):
    def pieces():
        yield b'{"model": "gpt-image-2-2026-04-21", '
        yield b'"prompt": "a canary on a lighthouse"}'

    headers = HEADERS | {"content-type": "application/json"}
    with httpx2.Client() as client:
        return _pictures(
            client.post(f"{url('openai')}/v1/images/generations", content=pieces(), headers=headers).content
        )


def httpx_async(url):
    async def run():
        async with httpx.AsyncClient() as client:
            path = f"{url('openai')}/v1/images/generations"
            async with client.stream("POST", path, json=BODY, headers=HEADERS) as answer:
                return b"".join([piece async for piece in answer.aiter_bytes()])

    return _pictures(asyncio.run(run()))


def aiohttp_plain(url):
    async def run():
        path = f"{url('openai')}/v1/images/generations"
        async with aiohttp.ClientSession(headers=HEADERS) as session, session.post(path, json=BODY) as answer:
            return await answer.read()

    return _pictures(asyncio.run(run()))


def aiohttp_chunks(url):
    async def run():
        path = f"{url('openai')}/v1/images/generations"
        async with aiohttp.ClientSession(headers=HEADERS) as session, session.post(path, json=BODY) as answer:
            return b"".join([piece async for piece in answer.content.iter_chunked(500)])

    return _pictures(asyncio.run(run()))


def _pictures(data):
    return [base64.b64decode(one["b64_json"]) for one in json.loads(data)["data"]]


FLOWS = [
    openai_sync, openai_async, openai_edit, openai_events, openai_events_async, replicate_run, wavespeed_run,
    requests_stream, requests_file, httpx_stream, httpx2_upload, httpx_async, aiohttp_plain, aiohttp_chunks,
]  # fmt: skip
