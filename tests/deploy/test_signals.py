"""Being told to stop, and by whom."""

import signal

import pytest

from deploy.signals import stopped_by_sigterm, stopped_with_terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_the_terminal_ends_the_demo_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), stopped_with_terminal():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_who_is_started_with_nohup_outlives_the_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_with_terminal():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_server_leaves_the_terminals_signal_alone() -> None:
    before = signal.getsignal(signal.SIGHUP)
    with stopped_by_sigterm():
        assert signal.getsignal(signal.SIGHUP) is before
