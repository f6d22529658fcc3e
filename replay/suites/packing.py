"""Carries a suite to a machine without a registry: suite, lock and a bundle of what its check needs, in one zip."""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from registry.admitting import Admitted, NotAdmitted, admit, check_sound
from registry.errors import CouldNotRun, FileThere, Refused
from registry.export.selecting import export_selection
from registry.home import Registry
from registry.log.checkpoint import VerifierKey
from replay.calibrating import calibration_called
from replay.suites.file import Suite
from replay.suites.plan import Plan
from replay.suites.selecting import lock_path

SUITE, LOCK, BUNDLE = "suite.yaml", "suite.lock", "bundle.zip"
_MOST: Final = {SUITE: 4 << 20, LOCK: 64 << 20, BUNDLE: 4 << 30}  # bytes
_NEEDED: Final = ("prompt", "digest", "subject")  # sealed parts without which a request cannot be sent again
_PIECE: Final = 1 << 20  # bytes read at a time


class NotAPack(Refused):
    """A file that is no packed suite."""

    def __init__(self, path: Path, why: str) -> None:
        """Name it and say what is wrong."""
        super().__init__(f"{path}: {why}; give what `mintmark suite pack --to` wrote")


class NotUnpacked(CouldNotRun):
    """The disk does not take a pack's files; nothing is wrong with the pack."""

    def __init__(self, folder: str, problem: OSError) -> None:
        """Name the folder and what the system says."""
        super().__init__(
            f"{folder}: the pack cannot be unpacked there ({problem.strerror or problem}); free space, or name another "
            "folder with TMPDIR"
        )


class NotPackable(Refused):
    """A suite whose pack nobody could check."""

    def __init__(self, suite: Suite, problem: NotAdmitted) -> None:
        """Say what would not hold, and where it would."""
        super().__init__(
            f"{suite.path}: its pack would not verify ({problem.why}); nothing was written: records that this home has "
            "taken in from another (`mintmark check --from`) can only be packed where they were recorded, and damage "
            "is told by `mintmark log audit`"
        )


def pack(registry: Registry, suite: Suite, plan: Plan, target: Path, *, force: bool = False) -> int:
    """Write a pack, whole or not at all; how many manifests it carries.

    It holds the prompts in clear, since a runner cannot send what it cannot read: treat it as you treat them. Only its
    owner may read it.

    Raises:
        FileThere: there is such a file, and it is not to be replaced by ``force``.
        NotPackable: what it carries does not verify.
    """
    if target.exists() and not force:
        raise FileThere(target)
    needed: dict[str, None] = {}
    for case in plan.cases:
        runs = calibration_called(registry, case.calibration).runs if case.calibration else ()
        needed |= dict.fromkeys((case.id, case.original, *runs, *case.baseline))
    with tempfile.TemporaryDirectory(prefix="mintmark-pack-", dir=target.absolute().parent) as folder:
        bundle, draft = Path(folder) / BUNDLE, Path(folder) / "pack"
        export_selection(registry, bundle, needed, words=f"suite:{suite.name}", disclose=_NEEDED)
        try:
            check_sound(bundle)
        except NotAdmitted as problem:
            raise NotPackable(suite, problem) from None
        draft.touch(mode=0o600)
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as out:
            out.write(suite.path, SUITE)
            out.write(lock_path(suite.path), LOCK)
            out.write(bundle, BUNDLE)
        draft.rename(target)
    return len(plan.cases)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder with a pack's three files, gone afterwards.

    Raises:
        NotAPack: it is no such zip.
        NotUnpacked: the disk is full, or fails.
    """
    with tempfile.TemporaryDirectory(prefix="mintmark-pack-") as folder:
        try:
            with zipfile.ZipFile(path) as found:
                if sorted(found.namelist()) != sorted(_MOST):
                    raise NotAPack(path, f"it does not hold exactly {', '.join(_MOST)}")
                for name, most in _MOST.items():
                    member = found.getinfo(name)
                    if member.file_size > most:
                        raise NotAPack(path, f"its {name} is larger than {most:,} bytes")
                    if member.compress_type != zipfile.ZIP_STORED:  # none is: no decompressor sees hostile bytes
                        raise NotAPack(path, f"its {name} is compressed, or damaged")
                    _extract(found, name, folder)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError) as problem:
            raise NotAPack(path, f"it cannot be read ({problem})") from None
        except OSError as problem:
            raise NotAPack(path, problem.strerror or str(problem)) from None
        yield Path(folder)


def _extract(found: zipfile.ZipFile, name: str, folder: str) -> None:
    """Unpack one file; a failure to read it is the pack's, a failure to write it the disk's."""
    with found.open(name) as member:
        while piece := member.read(_PIECE):
            try:
                with (Path(folder) / name).open("ab") as out:
                    out.write(piece)
            except OSError as problem:
                raise NotUnpacked(folder, problem) from None


def admit_pack(registry: Registry, folder: Path, *, trust: Sequence[VerifierKey] | None = None) -> Admitted:
    """Verify what a pack carries, and take it in. Raises: NotAdmitted, StrangeKey: as ``registry.admitting.admit``."""
    return admit(registry, folder / BUNDLE, trust=trust)
