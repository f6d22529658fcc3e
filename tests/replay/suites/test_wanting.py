"""Which replays a run wants next: told by rows alone, in an order that time has no part in."""

from dataclasses import replace

import pytest

from drift.floor import Regime
from registry.journal.runs import RunReplay
from replay.suites.plan import Case, Ends, Options, Plan, Policy, Replays, SuiteRef
from replay.suites.wanting import Wanted, beginning, further

IDS = [f"sha256:{n:064x}" for n in range(6)]
DETERMINISTIC, SEEDED, UNSEEDED, UNKNOWN = Regime.DETERMINISTIC, Regime.SEEDED, Regime.UNSEEDED, Regime.UNKNOWN


def case(n, regime, policy=None, kinds=("image",), recorded=()):
    return Case(
        id=IDS[n], name=f"n{n}", operation="image.generate", provider="p", model="m", kinds=kinds,
        policy=policy or Policy(), regime=regime, recorded=recorded,
    )  # fmt: skip


def plan(*cases, **options):
    return Plan(suite=SuiteRef(name="s", sha256="0" * 64), cases=cases, actor="t", options=Options(**options))


def row(n, ordinal, state="made", purpose="first"):
    return RunReplay("run", IDS[n], ordinal, purpose, state, 0, None, None, None, None, "")


def next_of(given, rows, unconfirmed=lambda case, rows: False, suspects=dict):
    return further(given, rows, unconfirmed=unconfirmed, suspects=suspects)


@pytest.mark.parametrize(
    ("regime", "policy", "kinds", "repeat", "count"),
    [
        (DETERMINISTIC, None, ("image",), 1, 1),
        (SEEDED, None, ("image",), 1, 1),
        (UNKNOWN, None, ("image",), 1, 1),
        (UNSEEDED, None, ("image",), 1, 2),
        (UNSEEDED, Policy(replays=Replays(gate=3)), ("image",), 1, 3),
        (UNSEEDED, None, ("image",), 5, 5),
        (UNSEEDED, Policy(limits={"ssim": Ends(min=0.9)}), ("image",), 1, 1),
        (UNSEEDED, Policy(level="bytes"), ("image",), 1, 1),
        (UNSEEDED, None, ("audio",), 1, 2),
        (DETERMINISTIC, None, ("image",), 4, 4),
    ],
)
def test_a_run_begins_with_what_each_regime_and_policy_takes(regime, policy, kinds, repeat, count):
    assert len(beginning(plan(case(0, regime, policy, kinds), repeat=repeat))) == count


def test_offline_there_are_as_many_as_are_recorded_and_one_row_where_there_is_none():
    policy = Policy(replays=Replays(gate=4))

    for recorded, count in ((0, 1), (1, 1), (3, 3), (9, 4)):
        one = case(0, UNSEEDED, policy, recorded=tuple(IDS[:1] * recorded))
        assert len(beginning(plan(one, offline=True))) == count


def test_only_a_whole_seeded_replay_beyond_its_floor_is_confirmed_and_once():
    given = plan(case(0, SEEDED), case(1, DETERMINISTIC))
    beyond = lambda case, rows: True  # noqa: E731

    assert next_of(given, [row(0, 0), row(1, 0)]) == ()
    assert next_of(given, [row(0, 0), row(1, 0)], beyond) == (Wanted(IDS[0], 1, "confirm"),)
    assert next_of(given, [row(0, 0, "failed"), row(1, 0)], beyond) == ()
    assert next_of(given, [row(0, 0), row(0, 1, purpose="confirm"), row(1, 0)], beyond) == ()


def test_suspects_are_asked_for_once_every_gate_replay_has_ended():
    given = plan(case(0, UNSEEDED), case(1, UNSEEDED))
    rows = [row(n, ordinal, purpose="gate") for n in (0, 1) for ordinal in (0, 1)]
    asked = []

    def suspects():
        asked.append(1)
        return {IDS[1]: 5, IDS[0]: 3}

    assert next_of(given, [*rows[:3], replace(rows[3], state="wanted")], suspects=suspects) == ()
    assert not asked
    found = next_of(given, rows, suspects=suspects)
    assert found == (
        Wanted(IDS[1], 2, "look"), Wanted(IDS[1], 3, "look"), Wanted(IDS[1], 4, "look"), Wanted(IDS[0], 2, "look"),
    ), "the strongest suspect first"  # fmt: skip
    broken = [*rows[:2], rows[2], replace(rows[3], state="failed")]
    assert next_of(given, broken, suspects=suspects) == (Wanted(IDS[0], 2, "look"),), "no more of what failed"


def test_the_order_of_rows_changes_nothing():
    given = plan(case(0, UNSEEDED), case(1, SEEDED), case(2, UNSEEDED))
    rows = [row(0, 0), row(0, 1), row(1, 0), row(2, 0), row(2, 1)]
    ask = {"unconfirmed": lambda case, rows: True, "suspects": lambda: {IDS[2]: 5}}

    assert further(given, rows, **ask) == further(given, rows[::-1], **ask)
