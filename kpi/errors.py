"""The exception tree of `kpi`.

KpiError
├── NotComputable    no number may be given for these inputs
│   └── InputsRefused  a worked example names a field that is missing or not known
├── BadTable         a data file of this package breaks its own rules
├── ClusterUnavailable  no Dask cluster to work on
├── BadSchedule      a schedule of the jobs cannot be used
├── NotFinal         raw rows cannot be dropped yet
├── NotFormable      what is final is not formed again
└── JobFailed        some of the work was not done; the rest was
"""


class KpiError(Exception):
    """A KPI could not be worked out; the message says why and what to do."""


class NotComputable(KpiError):
    """No number may be given, only this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InputsRefused(NotComputable):
    """The inputs of a worked example do not fit its function; the message names the field."""


class BadTable(KpiError):
    """A data table or vector folder cannot be used; correct the file that the message names."""


class ClusterUnavailable(KpiError):
    """The Dask cluster cannot be used; the message says what to do."""


class BadSchedule(KpiError):
    """The schedule of the jobs cannot be used; correct the key that the message names."""


class NotFinal(KpiError):
    """Raw rows are still needed; the message says for what."""


class NotFormable(KpiError):
    """The rows of those days were dropped, so that nothing is formed of them again."""


class JobFailed(KpiError):
    """Some assets or factories could not be brought up to date; the message names the first."""
