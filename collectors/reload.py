"""Taking over a changed gateway file while the gateway runs, without touching what is spooled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from collectors.config.file import GatewayConfig, load
from collectors.errors import ConfigRefused

_log = logging.getLogger("collectors.gateway")

_LOOK_EVERY_S = 2.0

# What a running gateway holds on to: its name in the ledger, its file, its way out.
_FIXED = ("gateway", "spool", "sink", "metrics")

Apply = Callable[[GatewayConfig], Awaitable[None]]
_Stamp = tuple[int, int, int]


class Reloader:
    """Watches the file; a new version that is sound is applied, any other is told and left."""

    def __init__(self, config: GatewayConfig, apply: Apply, asked: asyncio.Event) -> None:
        self._config = config
        self._apply = apply
        self._asked = asked
        self._seen = _stamp(config.path)

    async def run(self) -> None:
        """Look for a changed file for ever, every 2 s and when asked."""
        while True:
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._asked.wait()
            except TimeoutError:
                # Between two looks at a file that is being written the stamp still changes.
                stamp = _stamp(self._config.path)
                if stamp == self._seen:
                    continue
                self._seen = stamp
            self._asked.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            config = load(self._config.path)
        except ConfigRefused as refusal:
            _log.error("the changed gateway file is not taken over:\n%s", refusal)
            return
        if config.version == self._config.version:
            return
        fixed = [name for name in _FIXED if _differs(name, self._config, config)]
        if fixed:
            tables = ", ".join(f"[{name}]" for name in fixed)
            _log.error("%s changed, which needs a restart; nothing of the file is used yet", tables)
            return
        await self._apply(config)
        self._config = config
        _log.info("took over version %s of %s", config.version, config.path.name)


def _differs(name: str, before: GatewayConfig, after: GatewayConfig) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
