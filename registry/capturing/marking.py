"""A decorator for functions that generate by other means than a described provider: each call is recorded."""

import functools
import inspect
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from registry.capture.draft import new_exchange_id
from registry.capturing.context import current
from registry.capturing.hook import running_recorder
from registry.errors import InvalidValue
from registry.times import now

log: Final = logging.getLogger("mintmark.capture")

Function = TypeVar("Function", bound=Callable[..., Any])


def generates(
    *,
    provider: str,
    model: str,
    operation: str | None = None,
    prompt: str | None = "prompt",
    seed: str | None = "seed",
    settings: Iterable[str] = (),
) -> Callable[[Function], Function]:
    """Record each call of a function as one generation, while the hook is installed; without it nothing is changed.

    The function's outputs are what it returns: a path, bytes, or a list of them. If it raises, a failed generation is
    recorded and the exception goes on; a canceled one where a task or the program was ended from outside.

    Args:
        provider: who runs the model.
        model: the model, as exactly as you know it.
        operation: ``image.generate`` and the like; told by the outputs where left out.
        prompt: the name of the argument that holds the prompt; None where there is none.
        seed: the name of the argument that holds the seed.
        settings: names of arguments to record as settings.

    Raises:
        InvalidValue: when decorating a generator, whose outputs nobody could tell before it was used up.
    """
    said = {"provider": provider, "model": model, "operation": operation}
    names = {"prompt": prompt, "seed": seed}

    def around(function: Function) -> Function:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            wanted = "a function that returns its outputs; a generator has none to record: collect them, return a list"
            raise InvalidValue("@generates", function.__qualname__, wanted)
        marked = functools.partial(_marked, inspect.signature(function), said, names, tuple(settings))

        @functools.wraps(function)
        async def awaiting(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the function's own
            with marked(arguments, options) as made:
                made.append(await function(*arguments, **options))
            return made[0]

        @functools.wraps(function)
        def calling(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the function's own
            with marked(arguments, options) as made:
                made.append(function(*arguments, **options))
            return made[0]

        return cast(Function, awaiting if inspect.iscoroutinefunction(function) else calling)

    return around


@contextmanager
def _marked(
    signature: inspect.Signature,
    said: Mapping[str, Any],
    names: Mapping[str, str | None],
    settings: Iterable[str],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
) -> Iterator[list[Any]]:
    """Spool the call that is made inside: what it puts into the list, or that it raised."""

    def begun() -> _Marked:
        given = signature.bind(*arguments, **options)
        given.apply_defaults()
        values = {role: given.arguments.get(name) for role, name in names.items() if name}
        return _Marked(said, values, {name: given.arguments.get(name) for name in settings}, now())

    def put(outputs: Callable[[], Iterable[bytes | Path]], error: str | None, *, canceled: bool = False) -> None:
        if mark is not None:
            mark.put(outputs(), error, canceled=canceled)

    mark: _Marked | None = _safely(begun)
    made: list[Any] = []
    try:
        yield made
    except BaseException as problem:
        why, outside = type(problem).__name__, not isinstance(problem, Exception)  # a canceled task, a Ctrl-C
        _safely(lambda: put(tuple, why, canceled=outside))
        raise
    _safely(lambda: put(lambda: _outputs(made[0]), None))


class _Marked:
    """One call of a decorated function."""

    def __init__(
        self, said: Mapping[str, Any], values: Mapping[str, Any], settings: Mapping[str, Any], started: str
    ) -> None:
        texts = {role: None if value is None else str(value) for role, value in values.items()}
        plain = {name: value for name, value in settings.items() if isinstance(value, str | int | bool)}
        self._value = {**said, **texts, "settings": plain, "started": started}

    def put(self, outputs: Iterable[bytes | Path], error: str | None, *, canceled: bool) -> None:
        """Spool it."""
        running = running_recorder()
        if running is None:
            return
        folder = running.spool.begin(new_exchange_id())
        names = []
        for number, output in enumerate(outputs):
            suffix = output.suffix if isinstance(output, Path) else ""
            names.append(f"output-{number}{suffix}")
            if isinstance(output, Path):
                shutil.copyfile(output, folder / names[-1])
            else:
                (folder / names[-1]).write_bytes(output)
        marked = {**self._value, "ended": now(), "error": error, "canceled": canceled, "outputs": names}
        running.take(folder, {"marked": marked, "said": current().to_json(), "attempts": 0})


def _outputs(made: Any) -> list[bytes | Path]:  # noqa: ANN401 - whatever a function returns
    many = made if isinstance(made, list | tuple) else [made]
    return [bytes(one) if isinstance(one, bytes | bytearray) else Path(one)
            for one in many if isinstance(one, bytes | bytearray | str | PathLike)]  # fmt: skip


def _safely(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - its answer, None where it failed
    try:
        return work()
    except Exception as problem:
        log.warning("a decorated call is not captured: %s", type(problem).__name__)
        return None
