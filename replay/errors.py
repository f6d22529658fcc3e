"""Errors of the upper floor, with exit codes.

MintmarkError                    exit code
└── ReplayError                  3
    ├── IllegalTransition        3   a provider moved a job in a way that no job can move
    ├── JobUnfinished            3   the outcome of a job that still runs was asked for
    ├── ProviderUnsupported      4   nothing here can speak to that provider
    ├── EngineMissing            3   a local engine's package is not installed
    ├── SecretMissing            3   a remote provider's key is not in the environment
    ├── SecretUnreadable         3   the file that should hold the key does not
    ├── BadAddress               3   a provider's address was set to something that is none
    └── Unrecorded               3   a call was paid for, and no manifest can hold what came of it
"""

from drift.errors import MintmarkError
from drift.installing import install_line


class ReplayError(MintmarkError):
    """A call could not be made or followed."""

    exit_code = 3


class IllegalTransition(ReplayError):
    """A provider moved a job in a way that no job can move."""

    def __init__(self, before: str, after: str) -> None:
        """Name both states."""
        super().__init__(f"a job cannot go from {before} to {after}; the mistake is in the provider's code: report it")
        self.before, self.after = before, after


class JobUnfinished(ReplayError):
    """The outcome of a job that still runs was asked for."""

    def __init__(self, job_id: str | None, state: str) -> None:
        """Name the job and its state."""
        super().__init__(f"job {job_id or '(no id)'} is {state}: there is no outcome yet; poll it until it ends")


class ProviderUnsupported(ReplayError):
    """Nothing here can speak to that provider."""

    exit_code = 4

    def __init__(self, provider: str, method: str, engines: list[str]) -> None:
        """Name what could be spoken to."""
        super().__init__(
            f"no engine of this build runs {provider!r} ({method}); local engines here: {', '.join(engines)}"
        )
        self.provider = provider


class EngineMissing(ReplayError):
    """A local engine's package is not installed."""

    def __init__(self, provider: str, package: str | None, extra: str) -> None:
        """Give the line that installs it."""
        super().__init__(
            f"provider {provider!r} needs the package {package or extra!r}, which is not installed; "
            f"run: {install_line(f'mintmark[{extra}]')}"
        )
        self.provider, self.extra = provider, extra


class SecretMissing(ReplayError):
    """A remote provider's key is not in the environment."""

    def __init__(self, provider: str, names: list[str]) -> None:
        """Name every variable that was looked at."""
        super().__init__(f"provider {provider!r} needs a key: set {names[0]} (or {', or '.join(names[1:])})")
        self.provider, self.names = provider, names


class SecretUnreadable(ReplayError):
    """A variable, or the file that it names, holds no key."""

    def __init__(self, variable: str, why: str) -> None:
        """Name the variable and the reason; never the content."""
        super().__init__(
            f"{variable} holds no key ({why}); set it to the key, or {variable.removesuffix('_FILE')}_FILE "
            "to a file that holds it in one line"
        )


class BadAddress(ReplayError):
    """A provider's address was set to something that is none."""

    def __init__(self, variable: str, value: str) -> None:
        """Name the variable and what it should hold."""
        super().__init__(f"{variable} is {value!r}; set it to http:// or https:// with a host, or unset it")


class Unrecorded(ReplayError):
    """A call that was paid for, and whose answer no manifest can hold."""

    def __init__(self, key: str, problem: Exception) -> None:
        """Name the call, what does not fit, and both ways on."""
        super().__init__(
            f"call {key} was made and answered, and what came cannot be recorded: {problem}. The answer is kept and "
            "nothing is sent again: run this again once a version of this program can read it, or give it up with "
            f"`mintmark replay ambiguous paid {key} --by NAME --reason TEXT`"
        )
