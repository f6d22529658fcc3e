"""Keeps the linear algebra of a decision in one thread.

Its matrices have some hundred rows: threads inside each product only wait for each other, the more of them the longer.
The number is mostly one for the whole process: of decisions that overlap, one may end it for another, which costs time.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
T = TypeVar("T")


def in_one_thread(decide: Callable[P, T]) -> Callable[P, T]:
    """Let BLAS use one thread while a function runs; what was set before is set again."""

    @wraps(decide)
    def alone(*args: P.args, **more: P.kwargs) -> T:
        with _libraries().limit(limits=1, user_api="blas"):
            return decide(*args, **more)

    return alone


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
