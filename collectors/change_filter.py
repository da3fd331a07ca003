"""Store on change, with a heartbeat, so that unchanged, bad and silent look different.

A heartbeat row carries the time of a reading that was really made, never a fresh time on an
old value. Polled sources offer each reading. A subscription says nothing while nothing changes,
and its silence alone proves nothing, so the OPC UA adapter reads a quiet node when its heartbeat
is due and offers that reading. A message source that falls silent stays silent.
"""

from collectors.sample import Sample


class ChangeFilter:
    """Passes a sample when value or status changed, or when the heartbeat has run out."""

    def __init__(self, heartbeat_s: float) -> None:
        self._heartbeat_us = int(heartbeat_s * 1_000_000)
        self._newest: dict[str, Sample] = {}

    def passes(self, sample: Sample) -> bool:
        """Tell whether a sample is to be stored, and remember it if it is.

        One older than the newest stored passes and changes nothing: it is a late arrival, or a
        server that sends its current value again after a reconnect, which the store absorbs.
        """
        newest = self._newest.get(sample.tag)
        if newest is not None:
            if sample.ts_us < newest.ts_us:
                return True
            unchanged = sample.value == newest.value and sample.status == newest.status
            if unchanged and sample.ts_us - newest.ts_us < self._heartbeat_us:
                return False
        self._newest[sample.tag] = sample
        return True
