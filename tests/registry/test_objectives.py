from pathlib import Path

import pytest

from registry.errors import InvalidValue
from registry.objectives import DIMENSIONS, Objective, read_weights
from registry.settings import load_settings


@pytest.fixture
def stated(tmp_path):
    """Settings of a home whose ``mintmark.toml`` holds a text."""

    def load(text):
        (tmp_path / "mintmark.toml").write_text(text)
        return load_settings(tmp_path, {"USER": "x"}).holding

    return load


def test_objectives_and_weights_stand_beside_plain_settings(stated):
    holding = stated(
        'require_pin = true\n[slo."storefront hero"]\np95_ms = 30000\ntimeout_rate = 0.01\nclass = "interactive"\n'
        "[slo.batch]\ntimeout_rate = 1\n[scorecard]\ncost = 2\nsla = 0.5\n"
    )

    assert holding.objectives == {
        "storefront hero": Objective("storefront hero", {"p95_ms": 30_000}, 0.01, "interactive"),
        "batch": Objective("batch", {}, 1, None),
    }
    assert holding.weights == dict.fromkeys(DIMENSIONS, 1.0) | {"cost": 2.0, "sla": 0.5}


def test_without_tables_nothing_is_promised_and_all_weigh_the_same(stated):
    holding = stated("")

    assert (dict(holding.objectives), dict(holding.weights)) == ({}, dict.fromkeys(DIMENSIONS, 1.0))


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("slo = 3", "slo", "a table for each workflow"),
        ("[slo]\nhero = 3", 'slo."hero"', "a table with p50_ms"),
        ("[slo.hero]", 'slo."hero"', "a table with p50_ms"),
        ("[slo.hero]\np90_ms = 1", 'slo."hero"', "did you mean 'p9"),
        ("[slo.hero]\np95_ms = 1.5", 'slo."hero".p95_ms', "a whole number of milliseconds"),
        ("[slo.hero]\np95_ms = true", 'slo."hero".p95_ms', "a whole number of milliseconds"),
        ("[slo.hero]\np95_ms = 0", 'slo."hero".p95_ms', "above 0"),
        ("[slo.hero]\ntimeout_rate = 2", 'slo."hero".timeout_rate', "a share from 0 to 1"),
        ("[slo.hero]\ntimeout_rate = nan", 'slo."hero".timeout_rate', "a share from 0 to 1"),
        ('[slo.hero]\nclass = ""', 'slo."hero".class', "a text"),
        ("scorecard = 1", "scorecard", "a table of weights"),
        ("[scorecard]\nprice = 1", "scorecard", "a dimension of the scorecard"),
        ("[scorecard]\ncost = -1", "scorecard.cost", "0 or more"),
        ("[scorecard]\ncost = inf", "scorecard.cost", "0 or more"),
        ("[scorecard]\n" + "\n".join(f"{name} = 0" for name in DIMENSIONS), "scorecard", "at least one weight above 0"),
        ("slos = 3", "mintmark.toml", "known are database"),
    ],
)
def test_a_mistake_names_file_and_key(stated, tmp_path, text, place, told):
    with pytest.raises(InvalidValue) as problem:
        stated(text)

    assert str(tmp_path / "mintmark.toml") in str(problem.value)
    assert place in str(problem.value) and told in str(problem.value)


@pytest.mark.parametrize("text", ["cost = 3", "[scorecard]\ncost = 3"])
def test_weights_come_from_a_file_of_their_own(tmp_path, text):
    (tmp_path / "w.toml").write_text(text)

    assert read_weights(tmp_path / "w.toml") == dict.fromkeys(DIMENSIONS, 1.0) | {"cost": 3.0}


@pytest.mark.parametrize("content", [b"cost = ", b"\xff", b"scorecard = 3", b"price = 1", None])
def test_a_file_without_weights_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "w.toml").write_bytes(content)

    with pytest.raises(InvalidValue):
        read_weights(Path(tmp_path / "w.toml"))
