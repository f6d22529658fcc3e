"""Price tables: what they may hold, which entry fits a call, and what units cost by it."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.prices.charge import charge
from registry.prices.table import KEYS, BadPrices, Entry, find_entry, read_table


@pytest.fixture
def table(price_list):
    def read(more=None):
        path = price_list(more)
        return read_table(path, path.read_bytes())

    return read


# What the vendor would bill, worked out by hand.
BILLS = [
    ("openai", "gpt-image-2", {"input_tokens": 100, "output_tokens": 4160}, {}, "0.1669"),
    ("openai", "gpt-image-2", {"images": 1}, {}, None),  # its tokens cost, and nobody counted them
    ("openai", "gpt-image-2", {"input_tokens": 100, "input_image_tokens": 5, "output_tokens": 1}, {}, None),
    ("openai", "gpt-image-2", {"input_tokens": 100, "output_tokens": 4160, "input_images": 1}, {}, "0.1669"),
    ("openai", "gpt-image-3", {"input_tokens": 100, "output_tokens": 4160}, {}, "0.1669"),
    ("openai", "gpt-image-3", {"input_tokens": 100, "output_tokens": 4160, "input_images": 1}, {}, None),
    ("openai", "gpt-image-3", {"input_tokens": 100, "input_image_tokens": 300, "output_tokens": 4160}, {}, "0.1699"),
    ("google", "gemini-3-flash-image", {"input_tokens": 1000, "output_tokens": 1290, "images": 1}, {}, "0.0393"),
    ("openai", "gpt-image-1", {"images": 2}, {"quality": "high", "size": "1024x1536"}, "0.5"),
    ("openai", "gpt-image-1", {"images": 2}, {"quality": "low", "size": "1024x1536"}, None),
    ("openai", "dall-e-3", {"images": 1, "pixels": 1048576}, {"size": "1024x1024"}, "0.039999923814"),
    ("openai", "dall-e-3", {"images": 1, "pixels": 1048576}, {"width": 1024, "height": 1024}, "0.039999923814"),
    ("openai", "sora-2", {"seconds": 8}, {}, "0.8"),
    ("openai", "sora-2", {"milliseconds": 2500}, {}, "0.25"),
    ("azure", "sora-2", {"seconds": 8}, {}, "2.4"),
    ("openai", "whisper-1", {"input_seconds": 60}, {}, "0.006"),
    ("deepgram", "nova-3", {"input_milliseconds": 60000}, {}, "0.0043002"),
    ("openai", "tts-1", {"characters": 1000, "milliseconds": 9000}, {}, "0.015"),
    ("google", "gemini-3-flash-image", {"input_tokens": 1000, "images": 1}, {}, "0.0393"),
    ("google", "gemini-3-flash-image", {"input_tokens": 200_001, "images": 1}, {}, None),
    ("google", "gemini-3-flash-image", {"images": 1}, {}, None),
    ("vendor", "free-model", {"images": 3}, {}, "0"),
    ("vendor", "no-price", {"images": 3}, {}, None),
    ("deepgram", "tts-1", {"characters": 10}, {}, None),
    ("openai", "gpt-image-2", {}, {}, None),
]


@pytest.mark.parametrize(("provider", "model", "units", "said", "amount"), BILLS)
def test_a_call_costs_what_the_table_says_or_nothing_is_said(table, provider, model, units, said, amount):
    entry = find_entry(table(), provider, model, said)

    charged = charge(entry, units) if entry else None

    assert (f"{charged[0]:f}" if charged else None) == amount


def test_only_what_was_charged_is_told(table):
    _, used = charge(find_entry(table(), "openai", "tts-1", {}), {"characters": 1000, "milliseconds": 9000})

    assert used == {"characters": 1000}


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), st.decimals("0", "1", places=9), max_size=6),
    st.dictionaries(
        st.sampled_from(
            ["images", "pixels", "seconds", "characters", "input_tokens", "output_tokens", "input_seconds"]
        ),
        st.integers(0, 10**15),
        max_size=5,
    ),
    st.sampled_from([None, "image_generation", "audio_transcription"]),
)
def test_twice_the_units_cost_twice_as_much(prices, units, mode):
    entry = Entry("m", None, mode, prices, {}, "USD", None)

    once, twice = charge(entry, units), charge(entry, {name: 2 * count for name, count in units.items()})

    if once is not None and twice is not None:
        assert abs(twice[0] - 2 * once[0]) <= Decimal("2e-12")
        assert once[0] >= 0 and set(once[1]) <= set(units)


BAD = [
    ("[]", "json", "an object"),
    ("{", "json", "expected JSON"),
    ('{"m": 3}', "json", "m: expected an object"),
    ('{"m": {"output_cost_per_image": "cheap"}}', "json", "m: output_cost_per_image: expected an amount"),
    ('{"m": {"output_cost_per_image": -1}}', "json", "expected an amount"),
    ('{"m": {"output_cost_per_image": NaN}}', "json", "expected an amount"),
    ('{"m": {"output_cost_per_image": true}}', "json", "expected an amount"),
    ('{"m": {"output_cost_per_image": [1]}}', "json", "expected an amount"),
    ('{"m": {"max_tokens": 1}}', "json", "no model in it has a price"),
    ("[" * 100_000, "json", "expected JSON"),
    ("\n[m]\noutput_cost_per_imag = 1\n", "toml", "line 3: m: output_cost_per_imag: expected no such key"),
    ("[m]\noutput_cost_per_image = 1\ncurrency = '€'\n", "toml", "line 3: m: currency"),
    ("[m]\noutput_cost_per_image = 1\ndeprecation_date = 'soon'\n", "toml", "line 3: m: deprecation_date"),
    ("[m\n", "toml", "expected TOML"),
]


@pytest.mark.parametrize(("text", "form", "expected"), BAD)
def test_what_is_no_price_table_is_refused_where_the_mistake_is(tmp_path, text, form, expected):
    with pytest.raises(BadPrices, match="nothing was imported") as problem:
        read_table(tmp_path / f"t.{form}", text.encode())

    assert expected in str(problem.value)


def test_prices_keep_their_digits(tmp_path):
    entry = read_table(tmp_path / "t.json", b'{"m": {"output_cost_per_image": 0.1, "input_cost_per_token": "1e-7"}}')[
        "m"
    ]

    assert entry.prices == {"output_cost_per_image": Decimal("0.1"), "input_cost_per_token": Decimal("1e-7")}
