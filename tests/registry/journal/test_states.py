"""The states of a paid call: the table of moves is all there is, and every call can come to an end."""

import itertools

import pytest

from registry.journal.states import MOVES, OPEN, RESERVING, SETTLING, CallState, IllegalMove, check_move

LEGAL = {(before, after) for before, several in MOVES.items() for after in several}


def test_the_moves_are_these():
    assert {(before.value, after.value) for before, after in LEGAL} == {
        ("intended", "acknowledged"),
        ("intended", "recorded"),
        ("intended", "failed"),
        ("intended", "ambiguous"),
        ("acknowledged", "recorded"),
        ("acknowledged", "paid"),
        ("ambiguous", "paid"),
        ("ambiguous", "unpaid"),
        ("unpaid", "paid"),
    }


@pytest.mark.parametrize(("before", "after"), list(itertools.product(CallState, CallState)))
def test_what_the_table_lacks_is_refused(before, after):
    if (before, after) in LEGAL:
        check_move("key-1", before, after)
    else:
        with pytest.raises(IllegalMove, match=f"is {before} and cannot become {after}"):
            check_move("key-1", before, after)


def test_every_state_is_in_the_table_and_money_is_held_back_settled_or_free():
    assert set(MOVES) == set(CallState)
    assert OPEN < RESERVING and not RESERVING & SETTLING
    assert {state for state in CallState if not MOVES[state]} == {CallState.RECORDED, CallState.FAILED, CallState.PAID}
    assert all(MOVES[state] for state in RESERVING), "no money is held back for ever"
