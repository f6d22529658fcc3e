"""A secret that was pasted into a description is not repeated, wherever it stands."""

from importlib import resources

import pytest

from registry.capture.description import load
from registry.capture.errors import BadDescription
from registry.capture.secrets import may_be_secret

IMAGES, SPEED = "openai-images", "wavespeed-predictions"
BASE, HOSTS, MATCH = 'base_url = "https://api.openai.com"', 'hosts = ["api.openai.com"]', "POST /v1/images/generations"

PASTED = [
    (IMAGES, BASE, 'base_url = "https://api.openai.com/v1?key=sk-abc"', "base_url"),
    (IMAGES, BASE, 'base_url = "api.openai.com/?key=hidden"', "base_url"),
    (IMAGES, BASE, 'base_url = "https://api.openai.com:sk-abc"', "base_url"),
    (IMAGES, BASE, 'base_url = "https://me:hidden@[api.openai.com"', "base_url"),
    (IMAGES, BASE, 'base_url = ["sk-abc"]', "base_url"),
    (IMAGES, HOSTS, 'hosts = ["api.openai.com?key=hidden"]', "hosts.0"),
    (IMAGES, HOSTS, 'hosts = "0a1b2c3d4e5f6a7b8c9dhidden"', "hosts"),
    (IMAGES, HOSTS, 'hosts = ["sk-abc"]', "base_url"),
    (IMAGES, MATCH, "POST /v1/images?key=hidden", "submit.match"),
    (IMAGES, 'count = "n"', 'count = "n"\nidempotency = "sk-abc_1"', "submit.idempotency"),
    (IMAGES, 'count = "n"', 'count = "n"\ntimeout_s = "0a1b2c3d4e5f6a7b8c9dhidden"', "submit.timeout_s"),
    (IMAGES, 'class = "quota"', 'class = "sk-abc"', "errors.1.class"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "https://x.example/?key=hidden"', "output.expr"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "hidden0123456789abcdef"', "output.expr"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "sk-abc"', "output.expr"),
    (SPEED, "/predictions/{job}/result", "/result?key=hidden", "poll.path"),
]


@pytest.mark.parametrize(("name", "old", "new", "key"), PASTED, ids=[f"{row[3]}-{n}" for n, row in enumerate(PASTED)])
def test_a_key_that_stands_anywhere_is_not_repeated(tmp_path, name, old, new, key):
    text = resources.files("registry.capture").joinpath("descriptions", f"{name}.toml").read_text("utf-8")
    assert text.count(old) == 1
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(BadDescription) as caught:
        load(path)

    assert caught.value.key == key
    assert not [word for word in ("sk-abc", "hidden", "abc_1") if word in caught.value.expected], str(caught.value)


@pytest.mark.parametrize(
    "text", ["openai-images", "POST /v1/images", "disk-3", "body.data[?type=='image'].url", "a-name-of-letters-alone"]
)
def test_what_is_plainly_no_key_is_shown(text):
    assert not may_be_secret(text)


@pytest.mark.parametrize("auth", ['"sk-live-1"', '{ header = "A", value = "Bearer sk-live-1", secret = "sk-live-1" }'])
def test_a_key_that_was_pasted_into_the_file_is_not_repeated(tmp_path, auth):
    path = tmp_path / "own.toml"
    path.write_text(f'id = "own"\nauth = {auth}\n', encoding="utf-8")

    with pytest.raises(BadDescription) as caught:
        load(path)

    assert caught.value.line == 2 and "sk-live-1" not in str(caught.value)
