"""What one sample must not be, whatever it is compared with: black, cut off, frozen, silent, looping, empty."""

from drift.assertions.checking import check, check_side, failed
from drift.assertions.finding import Finding

__all__ = ["Finding", "check", "check_side", "failed"]
