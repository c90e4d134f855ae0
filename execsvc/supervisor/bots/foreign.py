"""Bots that are BOOTING and FAILED here, as another service of the machine trades their account.

BotService may be waiting for that service to report the start. Where that service certainly does not
run the bot, no service answers the row, which would stay locked.
"""

from __future__ import annotations

from collections.abc import Collection

from execsvc.model.bot import BotSpec
from execsvc.supervisor.bots.bot import Bot
from execsvc.supervisor.bots.fleet import Fleet
from execsvc.supervisor.bots.records import Records
from execsvc.supervisor.processes.context import ProcessContext

PATIENCE = 60.0
"""Seconds that the other service has to start the bot: more than a start takes, and twice as long as
BotService's front end waits for one."""


class Foreign:
    """The bots of this kind, by the latest listing."""

    def __init__(self, context: ProcessContext, records: Records, fleet: Fleet) -> None:
        self._context = context
        self._records = records
        self._fleet = fleet
        self._since: dict[str, float] = {}
        """The times since which such bots are BOOTING, on the loop's clock."""
        self._logged: set[str] = set()
        self._unclaimed: set[str] = set()

    def listed(self, booting: Collection[str]) -> None:
        """Take the bots that are BOOTING by a listing."""
        now, before = self._context.clock.now, self._since
        rows = {bot_id: row for bot_id in booting if (row := self._row(bot_id)) is not None}
        self._since = {bot_id: before.get(bot_id, now) for bot_id in rows}
        late = {bot_id for bot_id, since in self._since.items() if now - since >= PATIENCE}
        self._unclaimed = {bot_id for bot_id in late if not self._may_be_run(rows[bot_id])}
        claimed = late - self._unclaimed
        for bot_id in claimed - self._logged:
            self._log(self._fleet.bots[bot_id])
        self._logged = claimed

    def is_unclaimed(self, bot_id: str) -> bool:
        """True for a bot that the other service had time to start, and certainly does not run."""
        return bot_id in self._unclaimed

    def forget(self, bot_id: str) -> None:
        """Forget the bot, as its row is STOPPED: its next start is another one."""
        self._since.pop(bot_id, None)
        self._unclaimed.discard(bot_id)

    def _row(self, bot_id: str) -> BotSpec | None:
        bot = self._fleet.bots.get(bot_id)
        foreign = (
            bot is not None and bot.hold_record.hold is not None and bot.hold_record.hold.foreign
        )
        return bot.desired.row if bot is not None and foreign else None

    def _may_be_run(self, row: BotSpec) -> bool:
        return self._records.accounts.may_be_run_elsewhere(row.binding.key_id, row.bot_id)

    def _log(self, bot: Bot) -> None:
        bot.log.bind(event="bot_word_failed").warning(
            "its row stays BOOTING: {}, and that service may run it. If it does not, stop the bot "
            "there, or in BotService: POST /bots/{{id}}/stop",
            bot.hold_record.hold.detail if bot.hold_record.hold is not None else "",
        )
