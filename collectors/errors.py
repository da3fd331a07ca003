"""What can go wrong in a gateway.

CollectorError
├── ConfigRefused        the gateway file is wrong; every problem is listed
├── NotSet               an environment variable or file that the gateway file names is missing
├── UnknownKind          there is no such kind of source
├── EnrolmentFailed      the gateway cannot be made known as the file says
├── MetricsRefused       the port for the metrics cannot be used
├── SpoolError
│   ├── SpoolBusy        another gateway uses this spool
│   └── SpoolDamaged     a stored batch does not match its hash
├── SinkUnavailable      the other end takes nothing now; it is tried again
└── SourceError          a source cannot be read now; it is tried again
    ├── SourceUnreachable    there is no connection
    └── SourceLost           the connection broke or fell silent
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class CollectorError(Exception):
    """The gateway could not do what was asked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a gateway file; line 0 means the file as a whole."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.message}"


class ConfigRefused(CollectorError):
    """The gateway file is wrong; correct the lines that are listed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class NotSet(CollectorError):
    """Something that the gateway file refers to is not there; set it, then start again."""


class UnknownKind(CollectorError):
    """There is no such kind of source; see the words that are allowed."""


class EnrolmentFailed(CollectorError):
    """The gateway cannot be made known as its file says; see the message."""


class MetricsRefused(CollectorError):
    """The port for the metrics cannot be used; choose another or remove [metrics]."""


class SpoolError(CollectorError):
    """The spool file cannot be used; see the message."""


class SpoolBusy(SpoolError):
    """Another gateway uses this spool; stop it, or give this one a path of its own."""


class SpoolDamaged(SpoolError):
    """A batch in the spool does not match its hash; it is lost, and told as such."""


class SinkUnavailable(CollectorError):
    """The other end takes nothing now; it is tried again, after_s at the earliest where given."""

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class SourceError(CollectorError):
    """A source cannot be read now; it is tried again."""


class SourceUnreachable(SourceError):
    """There is no connection to the source; check its address, its power and the network."""


class SourceLost(SourceError):
    """The connection to the source broke or fell silent."""
