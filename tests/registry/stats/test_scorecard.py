from datetime import date

import pytest

from registry.annotate import review
from registry.objectives import DIMENSIONS, Objective
from registry.stats.again import Again
from registry.stats.calls import Selection, calls
from registry.stats.evidence import Evidence, Published, gather
from registry.stats.reviews import reviewed
from registry.stats.scorecard import scorecards

TODAY = date(2026, 11, 20)
EVEN = dict.fromkeys(DIMENSIONS, 1.0)
QUIET = Published({}, followed=False, availability=None)


def cards(*candidates, published=None, objectives=None, weights=EVEN):
    known = published or {}
    all_known = {one.key[0]: known.get(one.key[0], QUIET) for one in candidates}
    return {card.key[0]: card for card in scorecards(candidates, all_known, objectives or {}, weights, TODAY)}


def gathered(history, *, by_model=False, objectives=None, again=None):
    found = calls(history.registry, Selection(workflow="hero"))
    return gather(found, reviewed(history.registry), objectives or {}, again or {}, by_model=by_model)


def dimension(card, name):
    return next(one for one in card.dimensions if one.name == name)


def parts(card, name):
    return {part.name: part for part in dimension(card, name).parts}


def test_nothing_measured_gives_no_score_anywhere_and_a_reason_everywhere():
    card = cards(Evidence(("vendor",), calls=1))["vendor"]

    assert [one.name for one in card.dimensions] == list(DIMENSIONS)
    assert card.score is None and card.known_weight == 0
    for one in card.dimensions:
        assert one.score is None, one
        for part in one.parts:
            assert part.value is None and part.evidence, part


def test_latency_and_cost_are_held_against_the_best_of_the_same_operation(history):
    for n in range(20):
        for provider, total, cost in (("slow", 4000, "0.08USD"), ("fast", 1000, "0.02USD"), ("film", 9, "9.00USD")):
            operation = "video.generate" if provider == "film" else "image.generate"
            one = history(provider=provider, total=total, cost=cost, operation=operation)
            review(history.registry, one, usable=provider != "slow" or n % 2 == 0)

    found = cards(*gathered(history))

    assert dimension(found["fast"], "latency").score == 100
    assert dimension(found["slow"], "latency").score == 25
    assert dimension(found["fast"], "cost").score == 100
    assert dimension(found["slow"], "cost").score == pytest.approx(12.5)
    assert "0.1600 USD; the cheapest of 2 costs 0.0200 USD" in dimension(found["slow"], "cost").parts[0].evidence
    assert dimension(found["film"], "latency").score is None
    assert "no other candidate" in dimension(found["film"], "latency").parts[0].evidence


def test_what_a_failure_cost_counts_and_an_unknown_cost_of_a_success_leaves_no_score(history):
    for _ in range(20):
        for provider in ("a", "b", "c"):
            review(history.registry, history(provider=provider, cost="0.10USD"), usable=True)
        history(provider="b", cost="0.10USD", status="failed")
    history(provider="c")
    history(provider="a", status="timeout")

    found = cards(*gathered(history))

    assert (dimension(found["a"], "cost").score, dimension(found["b"], "cost").score) == (100, 50)
    assert "cost of 1 of 21 calls that succeeded unknown" in dimension(found["c"], "cost").parts[0].evidence


def test_outputs_that_nobody_could_use_score_nothing(history):
    for _ in range(20):
        review(history.registry, history(cost="0.10USD"), usable=False)

    (part,) = dimension(cards(*gathered(history))["vendor"], "cost").parts

    assert (part.value, part.evidence) == (0, "none of 20 reviewed outputs is usable")


def test_versions_are_pinned_echoed_and_staying(history):
    for n in range(20):
        pinned = {"model": "m-2", "pin": "snapshot", "served": "m-2" if n % 2 else "m-3"}
        history(**(pinned if n < 10 else {"model": "m", "pin": "alias", "served": "m-2" if n < 15 else None}))
    history(pin="unknown", model="m")
    published = {"vendor": Published({"m-2": date(2027, 5, 1), "m": date(2027, 6, 30)}, True, None)}

    found = parts(cards(*gathered(history), published=published)["vendor"], "versioning")

    assert found["pinned"].value == 50
    assert found["echoed"].value == pytest.approx(100 * 10 / 21)
    assert "5 named another than was pinned" in found["echoed"].evidence
    assert found["staying"].value == pytest.approx(100 * 11 / 21)
    assert "2027-05-19" in found["staying"].evidence


def test_integration_counts_answers_tries_and_doubt(history):
    ends = ["succeeded"] * 15 + ["blocked"] * 3 + ["ambiguous", "malformed"] + ["auth", "canceled"]
    for n, status in enumerate(ends):
        history(status=status, attempts=2 if n < 5 else 1)

    found = parts(cards(*gathered(history))["vendor"], "integration")

    assert found["answered"].value == 90
    assert found["at once"].value == pytest.approx(100 * 17 / 22)
    assert found["certain"].value == pytest.approx(100 * 21 / 22)


def test_an_sla_is_its_objectives_and_the_contract(history):
    for n in range(40):
        history(total=100, status="timeout" if n < 4 else "succeeded")
    objectives = {"hero": Objective("hero", {"p95_ms": 100, "p50_ms": 1, "p99_ms": 1}, 0.2)}
    published = {"vendor": Published({}, True, "99.9")}

    card = cards(*gathered(history, objectives=objectives), published=published, objectives=objectives)["vendor"]

    found = parts(card, "sla")
    assert (found["objectives"].value, found["objectives"].evidence) == (
        pytest.approx(200 / 3),
        "2 of 3 figures of [slo] kept",
    )
    assert found["availability"].value == pytest.approx(90 / 0.999)


def test_reproducibility_is_verdicts_and_regimes_and_needs_five_of_each(history):
    history(model="m-1")
    again = Again()
    again.verdicts.update({"reproduced": 2, "within-noise": 1, "drifted": 1, "undecided": 9})
    few = parts(cards(*gathered(history, again={("vendor", "m-1"): again}))["vendor"], "reproducibility")
    assert (few["verdicts"].value, few["verdicts"].evidence) == (None, "4 of 5 decided replays needed")

    again.verdicts["drifted"] += 1
    again.regimes.update({"deterministic": 2, "seeded": 1, "unseeded": 2, "unknown": 5})

    enough = parts(cards(*gathered(history, again={("vendor", "m-1"): again}))["vendor"], "reproducibility")
    assert (enough["verdicts"].value, enough["regimes"].value) == (60, 60)
    assert "9 undecided left out" in enough["verdicts"].evidence


def test_the_score_weighs_what_is_known_and_says_how_much_that_is(history):
    for _ in range(20):
        history(attempts=1, pin="alias", served="m-1")
    weights = EVEN | {"integration": 3.0, "cost": 0.0}

    card = cards(*gathered(history), weights=weights)["vendor"]

    assert dimension(card, "versioning").score == 50 and dimension(card, "integration").score == 100
    assert card.score == (50 + 3 * 100) / 4
    assert card.known_weight == 4 / 7


def test_candidates_are_providers_or_their_models(history):
    history(model="m-2")

    assert [one.key for one in gathered(history, by_model=True)] == [("vendor", "m-2")]
    assert [one.key for one in gathered(history)] == [("vendor",)]
