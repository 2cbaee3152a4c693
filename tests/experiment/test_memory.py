from __future__ import annotations

import gc
import signal
from pathlib import Path

import numpy as np
import pytest

from recsys.experiment import memory
from recsys.experiment.memory import watched


def test_the_peak_is_what_the_body_took_even_if_it_gave_it_back():
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("this system does not tell")
    with watched() as peak:
        taken = np.ones(8 * 2**20)  # 64 MiB
        del taken
    assert 60 * 2**20 < peak.n_bytes < 90 * 2**20
    with watched() as second:
        pass
    assert second.n_bytes < 30 * 2**20


def test_where_the_system_does_not_tell_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "nowhere")
    with watched() as peak:
        pass
    assert peak.n_bytes is None


class Sends:
    """Sends the process a signal when it is collected, as ctrl-c may come while garbage is."""

    def __init__(self):
        self.itself = self  # only the collector frees it

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_while_garbage_is_collected_is_not_lost():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    gc.disable()  # so that what is sent is sent by the collection that is looked at
    try:
        Sends()
        with pytest.raises(KeyboardInterrupt), watched():
            pass
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        gc.enable()
        signal.signal(signal.SIGINT, before)
