"""What can be done with a gateway file; the command line offers these and nothing else."""

from collectors.config import check, load
from collectors.enrolment import enrol
from collectors.gateway import run
from collectors.gateway_status import status
from collectors.probe import probe

__all__ = ["check", "enrol", "load", "probe", "run", "status"]
