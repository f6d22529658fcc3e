"""Chance that is the same everywhere: named random streams drawn from text."""

import hashlib
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T")
_MANTISSA: Final = 11  # 64 random bits to the 53 that a double holds


class Dice:
    """A random stream named by texts; the same names give the same numbers in every process and release of NumPy.

    Only raw bits of the generator are used: NumPy promises those to stay, and promises nothing for its
    distributions (NEP 19).
    """

    def __init__(self, *names: str) -> None:
        """Open the stream called ``names``."""
        self._names = names
        key = hashlib.sha256("\x00".join(f"{len(name)}:{name}" for name in names).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(key, "big"))

    def child(self, name: str) -> "Dice":
        """The stream called by these names and one more; independent of what was drawn here."""
        return Dice(*self._names, name)

    def array(self, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
        """Uniform float32 in [low, high), of the given shape."""
        raw = self._bits.random_raw(int(np.prod(shape))) >> _MANTISSA
        return (low + (high - low) * (raw * 2.0**-53)).astype(np.float32).reshape(shape)

    def gaussian(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Standard normal float32, as the sum of twelve uniform numbers less six (Irwin-Hall; tails end at 6)."""
        raw = self._bits.random_raw(int(np.prod(shape)) * 3).view(np.uint16).reshape(-1, 12)
        total = raw.astype(np.uint32).sum(axis=1, dtype=np.uint32)  # whole numbers: no order of adding matters
        numbers: NDArray[np.float32] = (total.astype(np.float32) / np.float32(65536.0) - np.float32(6.0)).reshape(shape)
        return numbers

    def number(self, low: float = 0.0, high: float = 1.0) -> float:
        """One uniform number in [low, high)."""
        return low + (high - low) * float(self._bits.random_raw() >> _MANTISSA) * 2.0**-53

    def whole(self, low: int, high: int) -> int:
        """One whole number in [low, high]."""
        return low + int(self.number() * (high - low + 1))

    def pick(self, items: Sequence[_T]) -> _T:
        """One of ``items``."""
        return items[self.whole(0, len(items) - 1)]
