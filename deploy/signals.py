"""Being told to stop."""

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType


def stopped_by_sigterm() -> AbstractContextManager[None]:
    """Let SIGTERM end the block as Ctrl-C does, with KeyboardInterrupt."""
    return _stopped_by(signal.SIGTERM)


@contextmanager
def stopped_with_terminal() -> Iterator[None]:
    """Let SIGTERM and the end of the terminal end the block as Ctrl-C does.

    Who started us with nohup wants us to outlive the terminal.
    """
    with ExitStack() as opened:
        opened.enter_context(_stopped_by(signal.SIGTERM))
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            opened.enter_context(_stopped_by(signal.SIGHUP))
        yield


@contextmanager
def _stopped_by(stopping: signal.Signals) -> Iterator[None]:

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(stopping, interrupt)
    try:
        yield
    finally:
        signal.signal(stopping, before)
