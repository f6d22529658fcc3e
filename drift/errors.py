"""Errors of the ground floor, and the root of every error the product raises on purpose.

MintmarkError                    exit code
└── DriftError                   2
    ├── MediaRefused             2   the file cannot be used as media: empty, truncated, mislabelled, too large …
    │   ├── MediaUnreadable      2
    │   ├── MediaEmpty           2
    │   └── MediaTooLarge        2
    ├── NotComparable            2   two files of different media
    └── ReportNotWritten         3   the report's file cannot be created
        └── ReportRefused        2   a file that is no report stands there
The registry's and replay's trees are in their own ``errors.py``.
"""


class MintmarkError(Exception):
    """What failed, where, and what to do next; the command line prints it and exits with ``exit_code``.

    ``exit_code`` follows one table everywhere: 0 yes, 1 no, 2 usage, 3 could not run, 4 undecided, 5 nothing selected.
    """

    exit_code = 3


class DriftError(MintmarkError):
    """Measuring failed for a reason that the input carries."""

    exit_code = 2


class MediaRefused(DriftError):
    """A file that cannot be taken as media."""

    def __init__(self, where: str, why: str, remedy: str) -> None:
        """Build ``where: why; remedy``."""
        super().__init__(f"{where}: {why}; {remedy}")
        self.where, self.why, self.remedy = where, why, remedy


class MediaUnreadable(MediaRefused):
    """Damaged, truncated, mislabelled or of a format this build does not decode."""


class MediaEmpty(MediaRefused):
    """Zero bytes, zero pixels, zero frames or zero samples."""


class MediaTooLarge(MediaRefused):
    """Beyond the limits on pixels, duration or bytes (a decompression bomb, perhaps)."""


class NotComparable(DriftError):
    """Two files that share no medium."""

    def __init__(self, reference: str, candidate: str) -> None:
        """Name both media."""
        super().__init__(f"cannot compare {reference} with {candidate}; give two files of the same medium")


class ReportNotWritten(DriftError):
    """The file system refused the report."""

    exit_code = 3

    def __init__(self, path: str, why: str) -> None:
        """Name the file and the reason."""
        super().__init__(f"the report {path} cannot be written: {why}; name a file in a folder you may write to")


class ReportRefused(ReportNotWritten):
    """Writing the report would destroy something that is no report."""

    exit_code = 2

    def __init__(self, path: str, why: str) -> None:
        """Name the place and what is there."""
        DriftError.__init__(self, f"no report is written to {path}: {why}; give -o a new name, such as report.html")
