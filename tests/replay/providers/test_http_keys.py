"""Keys and addresses of remote providers: where they come from, and where they never go."""

import pytest
from vendor_asks import ASKS

from registry.capture.description import shipped
from replay.errors import BadAddress, SecretMissing, SecretUnreadable
from replay.outcome import OutcomeClass
from replay.providers.http.secrets import Key, key_of, place_of


def test_a_missing_key_is_named_with_every_place_it_could_be():
    description = shipped().by_id("openai-images")

    with pytest.raises(SecretMissing, match="MINTMARK_SECRET_STAGING_OPENAI_API_KEY") as caught:
        key_of(description, {"MINTMARK_ENV": "staging"})

    assert caught.value.exit_code == 3
    assert "OPENAI_API_KEY_FILE" in str(caught.value)


def test_the_key_of_an_environment_comes_before_the_plain_one_and_a_file_will_do(tmp_path):
    description = shipped().by_id("openai-images")
    file = tmp_path / "key"
    file.write_text("sk-file\n")

    both = {"MINTMARK_ENV": "staging", "MINTMARK_SECRET_STAGING_OPENAI_API_KEY": "sk-staging", "OPENAI_API_KEY": "sk"}
    assert key_of(description, both).value == "Bearer sk-staging"
    assert key_of(description, {"OPENAI_API_KEY_FILE": str(file)}).value == "Bearer sk-file"
    assert "sk-" not in repr(key_of(description, both))
    file.write_text("sk-file and more\n")
    with pytest.raises(SecretUnreadable) as caught:
        key_of(description, {"OPENAI_API_KEY_FILE": str(file)})
    assert "sk-file" not in str(caught.value)
    with pytest.raises(SecretUnreadable):
        key_of(description, {"OPENAI_API_KEY": "sk-ключ"})


def test_another_address_takes_the_key_with_it_and_nobody_else_gets_it():
    description = shipped().by_id("openai-images")

    place = place_of(description, {"MINTMARK_BASE_URL_OPENAI": "http://127.0.0.1:9000/v9/"})

    assert (place.base_url, place.hosts) == ("http://127.0.0.1:9000/v9", ("127.0.0.1:9000",))
    assert place_of(description, {}).hosts == ("api.openai.com",)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("ftp://x", "ftp://x"),
        ("http://", "http://"),
        ("banana", "banana"),
        ("http://h:99999", "http://h:99999"),
        ("http://[::1", "http://[::1"),
        ("https://user:pw@host/v1", "https://…@host/v1"),
        ("https://user:p@w@host:99999", "https://…@host:99999"),
        ("https://:pw@host", "https://…@host"),
        ("user:pw@host", "…@host"),
        ("https://host/?key=pw", "https://host/?…"),
        ("https://host/#pw", "https://host/#…"),
    ],
)
def test_what_is_no_address_is_told_as_it_was_typed_without_its_secrets(typed, shown):
    with pytest.raises(BadAddress) as caught:
        place_of(shipped().by_id("openai-images"), {"MINTMARK_BASE_URL_OPENAI": typed})

    assert str(caught.value).startswith(f"MINTMARK_BASE_URL_OPENAI is {shown!r}; ")


def test_proxies_of_the_environment_are_not_looked_at(bench, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert bench.call("openai-images", **ASKS["openai-images"]).class_ is OutcomeClass.SUCCEEDED


@pytest.mark.parametrize("key", ["x", "none"])
def test_a_short_key_leaves_words_and_ids_as_they_are(key):
    assert Key("authorization", f"Bearer {key}", key).scrub("job_ax1: none of it") == "job_ax1: none of it"


def test_a_key_is_taken_out_plain_and_percent_encoded():
    key = Key("authorization", "Bearer abc/defgh+1", "abc/defgh+1")

    assert key.scrub("at abc/defgh+1, ?k=abc%2Fdefgh%2B1") == "at [secret], ?k=[secret]"
