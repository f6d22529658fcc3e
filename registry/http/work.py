"""What the API asks of whoever makes replays: it enqueues and looks on, it never replays."""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from registry.canonical import JSON
from registry.http.problems import Problem

Kind: TypeAlias = Literal["replay", "suite"]


class Work(Protocol):
    """The jobs behind the API; replay/asking.py has them."""

    def begin(self, kind: Kind, asked: Mapping[str, JSON], run_id: str | None) -> tuple[str, bool]:
        """Enqueue a run; its id, and whether it is new. An id that is given answers for the same request only.

        Raises:
            Problem: the id stands for another request (422).
            MintmarkError: what was asked for cannot be run.
        """
        ...

    def job(self, id: str) -> dict[str, JSON]:
        """One job, as ``documents.JOB`` describes it. Raises: NotFound."""
        ...

    def cancel(self, id: str) -> bool:
        """End a job's run; False where it is over. Raises: NotFound."""
        ...

    def report(self, result: Mapping[str, JSON]) -> str:
        """The page about a run that is over."""
        ...

    def wake(self, provider: str, job: str, delivery: str) -> bool:
        """Wake what waits for a provider's job; False where the delivery is known, or nothing waits."""
        ...


class NoWork:
    """A server without the part that makes replays."""

    def begin(self, kind: Kind, asked: Mapping[str, JSON], run_id: str | None) -> tuple[str, bool]:
        """Refuse."""
        raise Problem(404, "no-replays-here", "this server makes no replays; `mintmark serve` starts one that does")

    def job(self, id: str) -> dict[str, JSON]:
        """Refuse."""
        raise Problem(404, "no-replays-here", "this server has no jobs; `mintmark serve` starts one that does")

    def cancel(self, id: str) -> bool:
        """Refuse."""
        raise Problem(404, "no-replays-here", "this server has no jobs; `mintmark serve` starts one that does")

    def report(self, result: Mapping[str, JSON]) -> str:
        """Refuse."""
        raise Problem(404, "no-replays-here", "this server writes no reports; `mintmark serve` starts one that does")

    def wake(self, provider: str, job: str, delivery: str) -> bool:
        """Nothing waits here."""
        return False
