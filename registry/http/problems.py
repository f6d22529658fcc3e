"""Errors as problem details (RFC 9457): a stable type, what failed, and where it is known.

The type is ``urn:mintmark:problem:`` and the error's name in kebab-case, so
docs/http.md can list them. Errors that are the server's own carry no detail
beyond their title: messages about disks and databases name paths.
"""

import re
import sys
import traceback

import msgspec
from starlette.responses import Response

from drift.errors import MediaRefused, MediaTooLarge, MintmarkError
from registry.canonical import JSON
from registry.errors import RegistryError

MEDIA_TYPE = "application/problem+json"
_PREFIX = "urn:mintmark:problem:"
_HUMP = re.compile(r"(?<!^)(?=[A-Z])")
_TITLES = {
    400: "The request cannot be read",
    404: "There is nothing at this address",
    405: "This address does not take that method",
    413: "Larger than the server takes",
    421: "This server does not answer to that name",
}


class Problem(RegistryError):
    """A refusal that only HTTP knows; ``kind`` is its type, in kebab-case."""

    def __init__(
        self, status: int, kind: str, detail: str, *, pointer: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Say what was refused and what to do instead."""
        super().__init__(detail)
        self.http_status, self.kind, self.pointer, self.headers = status, kind, pointer, headers or {}


def status_of(problem: MintmarkError) -> int:
    """The HTTP status of an error."""
    if isinstance(problem, RegistryError):
        return problem.http_status
    if isinstance(problem, MediaTooLarge):
        return 413
    return 422 if isinstance(problem, MediaRefused) or problem.exit_code == 2 else 500


def kind_of(problem: MintmarkError) -> str:
    """What the type ends with."""
    return problem.kind if isinstance(problem, Problem) else _HUMP.sub("-", type(problem).__name__).lower()


def told(problem: MintmarkError) -> dict[str, JSON]:
    """The members of the problem details."""
    status = status_of(problem)
    if isinstance(problem, Problem):
        title = _TITLES.get(status) or problem.kind.replace("-", " ").capitalize()
    else:
        title = (type(problem).__doc__ or "").partition("\n")[0].rstrip(".")
    members: dict[str, JSON] = {"type": f"{_PREFIX}{kind_of(problem)}", "title": title, "status": status}
    if status < 500 or isinstance(problem, Problem):
        members["detail"] = str(problem)
    else:
        members["detail"] = "nothing was changed by this request; the server's own output says more"
    if (pointer := getattr(problem, "pointer", None)) is not None:
        members["pointer"] = pointer
    return members


def response(problem: MintmarkError) -> Response:
    """The answer to a request that an error ended; what is the server's own goes to its output, too."""
    members = told(problem)
    if members["status"] >= 500 and not isinstance(problem, Problem):
        print(f"mintmark: {problem}", file=sys.stderr, flush=True)
    headers = problem.headers if isinstance(problem, Problem) else None
    return Response(msgspec.json.encode(members), members["status"], headers, MEDIA_TYPE)


def internal(problem: Exception) -> Problem:
    """The answer to an error nobody foresaw; where it happened goes to the server's output, the request does not."""
    where = "".join(traceback.format_tb(problem.__traceback__)[-3:])
    print(f"mintmark: internal error: {type(problem).__name__}\n{where}", file=sys.stderr, flush=True)
    return Problem(500, "internal", "an internal error; the server's own output says where")
