"""What an MQTT source must still know after a restart: a small file in the gateway's state folder.

The topics that the broker's session holds, the tags that templates have made, the last number of
each sequence, and how many messages the broker had dropped.
"""

import logging
from pathlib import Path
from urllib.parse import quote

from collectors.state_file import load_state, save_state

_log = logging.getLogger("collectors.mqtt")

_FORM = 1


class Memory:
    """The remembered things of one source; save writes the file, whole or not at all."""

    def __init__(self, folder: Path, source: str, *, lasting: bool) -> None:
        self._path = folder / f"mqtt-{quote(source, safe='')}.json"
        self._lasting = lasting
        # Topic filters by session; made, by template, gives each tag the place that it comes from.
        self.topics: dict[str, list[str]] = {}
        self.made: dict[str, dict[str, str]] = {}
        self.sequences: dict[str, int] = {}
        self.dropped: dict[str, int] = {}
        # Set by whoever changes something that need not be on disk at once.
        self.has_news = False
        if lasting:
            self._read()

    def save(self) -> None:
        """Write what changed; a disk that refuses costs no data, so it is only told."""
        self.has_news = False
        if not self._lasting:
            return
        content: dict[str, object] = {
            "form": _FORM,
            "topics": self.topics,
            "made": self.made,
            "sequences": self.sequences,
            "dropped": self.dropped,
        }
        try:
            save_state(self._path, content)
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._path, error)

    def _read(self) -> None:
        try:
            content = load_state(self._path)
            if content is None:
                return
            if content["form"] != _FORM:
                raise ValueError("another form")
            self.topics = {name: list(topics) for name, topics in content["topics"].items()}
            self.made = {name: dict(tags) for name, tags in content["made"].items()}
            self.sequences = {name: int(last) for name, last in content["sequences"].items()}
            self.dropped = {name: int(count) for name, count in content["dropped"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # Nothing in it cannot be learnt again; a broken file must not keep the gateway down.
            _log.warning("%s cannot be read and is begun anew: %s", self._path, error)
            self.topics, self.made, self.sequences, self.dropped = {}, {}, {}, {}
