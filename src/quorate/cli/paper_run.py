"""What `quorate paper run` puts together: a bundle, a feed, terms, a journal, a session."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles, Policy, Signal
    from quorate.ensemble.inference import Predictor
    from quorate.market.feed import Feed
    from quorate.trading.account.contract import Contract
    from quorate.trading.journal import Record
    from quorate.trading.paper import AccountConfig, PaperSession

_log = logging.getLogger("quorate.paper")

# What a watcher of interrupts is told.
_ASKED, _OVER = b"!", b"."

# Replays have no deadline: they must be the same each time. The most that the settings allow.
_NO_DEADLINE_MS = 600_000.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line of `quorate paper run`."""

    bundle: Path
    data: Path | None
    exchange: str | None
    timeframe: str | None
    symbols: tuple[str, ...]
    top: int | None
    start: int | None
    end: int | None
    speed: float | None
    account: str | None
    journal: str | None
    guards: bool
    policy: Policy | None
    allow_training_span: bool
    quiet: bool
    as_json: bool


def run(asked: Asked) -> None:
    """Run the session, then say how the account stands."""
    from quorate.cli import output, paper_status
    from quorate.cli import panel as panels
    from quorate.core.configuration import load_settings
    from quorate.ensemble.series import load
    from quorate.trading.journal import Journal
    from quorate.trading.paper import PaperSession
    from quorate.trading.webhook import Webhook

    settings = load_settings()
    if asked.exchange is not None:
        settings = replace(settings, exchange=replace(settings.exchange, name=asked.exchange))
    _log_to_stderr()
    deadline = settings.predict if asked.exchange else replace(settings.predict, deadline_ms=_NO_DEADLINE_MS)
    bundle = load(asked.bundle, deadline, asked.policy)
    _require_timeframe(bundle, asked.timeframe)
    name, bundle_id = asked.account or settings.paper.account, bundle.id
    with ExitStack() as stack:
        feed, contracts, synthetic = stack.enter_context(_feed(asked, bundle, settings))
        terms = terms_of(bundle, settings, contracts, guarded=asked.guards)
        journal = stack.enter_context(
            Journal.open(
                asked.journal or settings.journal.url,
                name,
                settings_hash=terms.hash,
                bundle_id=bundle_id,
                settings=settings.journal,
            )
        )
        webhook = Webhook.from_environment(name, settings.notify)
        if webhook is not None:
            stack.callback(webhook.close)
        session = PaperSession(
            feed,
            partial(_decide, bundle, allow_training_span=asked.allow_training_span),
            journal,
            terms,
            bundle_id=bundle_id,
            mode="replay" if asked.exchange is None else "live",
            synthetic=synthetic or bundle.manifest.synthetic,
            settings=settings.paper,
            listener=_listener(None if webhook is None else webhook.tell, quiet=asked.quiet),
        )
        with _until_interrupted(session):
            session.run()
        document = paper_status.document(journal, settings, whole=True)
    document["in_training_span"] = asked.data is not None and panels.require_unseen(
        bundle, asked.start, asked.end, allow=True
    )
    if asked.as_json:
        output.print_json(document)
    else:
        output.console().print(paper_status.render(document))


def terms_of(
    bundle: Predictor, settings: Settings, contracts: dict[str, Contract] | None = None, *, guarded: bool = True
) -> AccountConfig:
    """What an account trades under that follows this bundle."""
    from quorate.trading.oversight import Oversight
    from quorate.trading.paper import AccountConfig

    manifest, account = bundle.manifest, settings.account
    if bundle.stack is None and bundle.decides == "calibrated":
        # As in a backtest: decisions by probabilities are sized by them.
        account = replace(account, sizing="half_kelly")
    return AccountConfig(
        horizon=manifest.horizon,
        account=account,
        costs=settings.costs,
        exits=settings.exits,
        strategy=settings.paper.strategy,
        oversight=Oversight(settings.guards, settings.ladder, manifest.training_end) if guarded else None,
        contracts=contracts or {},
    )


def _decide(bundle: Predictor, markets: Sequence[Candles], now: int, *, allow_training_span: bool) -> list[Signal]:
    return bundle.predict_many(markets, now=now, allow_training_span=allow_training_span)


@contextmanager
def _feed(asked: Asked, bundle: Predictor, settings: Settings) -> Iterator[tuple[Feed, dict[str, Contract], bool]]:
    """The bars, the markets' rules, and whether the candles are made up."""
    if asked.data is not None:
        yield _replay(asked, asked.data, bundle, settings)
        return
    from quorate.market.exchange import Exchange, LiveFeed
    from quorate.trading.account.contracts import ask_contracts

    with Exchange(settings.exchange) as exchange:
        symbols = asked.symbols or _live_symbols(exchange, asked, bundle, settings)
        contracts = ask_contracts(exchange, symbols)
        yield LiveFeed(exchange, symbols, bundle.manifest.timeframe, settings.feed), contracts, False


def _live_symbols(exchange: Any, asked: Asked, bundle: Predictor, settings: Settings) -> tuple[str, ...]:
    if asked.top is None:
        return tuple(bundle.manifest.symbols)
    from quorate.core.clock import now_ms
    from quorate.market.exchange import top

    return tuple(top(exchange, asked.top, now_ms(), settings.universe).symbols)


def _replay(asked: Asked, data: Path, bundle: Predictor, settings: Settings) -> tuple[Feed, dict[str, Contract], bool]:
    from quorate.cli import output
    from quorate.cli import panel as panels
    from quorate.cli.run import read_marks
    from quorate.market import FreqtradeFolder
    from quorate.market.universe import top
    from quorate.trading.account.contracts import read_contracts
    from quorate.trading.paper import ReplayFeed

    source, timeframe = FreqtradeFolder(data), bundle.manifest.timeframe
    panels.require_unseen(bundle, asked.start, asked.end, allow=asked.allow_training_span)
    if asked.top is not None and asked.start is not None:
        wanted = top(source, timeframe, asked.top, asked.start, settings.universe)
    else:
        wanted = asked.symbols or panels.same_kind(source, bundle)
    with output.progress() as tell:
        panel = panels.read_panel(source, timeframe, wanted, tell, start=asked.start, end=asked.end)
    funding = panels.read_funding(source, tuple(panel))
    marks = read_marks(source, tuple(panel), timeframe, asked.start, asked.end)
    feed = ReplayFeed(panel, asked.start, asked.end, funding=funding, marks=marks, bars_per_second=asked.speed)
    return feed, read_contracts(data), feed.synthetic


def _require_timeframe(bundle: Predictor, timeframe: str | None) -> None:
    from quorate.core.errors import BundleError

    if timeframe not in (None, bundle.manifest.timeframe):
        raise BundleError(
            f"trade bars of {timeframe}", found=f"a bundle for {bundle.manifest.timeframe}", expected=str(timeframe)
        )


def _listener(notify: Callable[[Record], None] | None, *, quiet: bool) -> Callable[[Record], None]:
    """Logs what was written down, and passes it on."""
    from quorate.core.types import Action
    from quorate.trading.journal import DecidedRecord
    from quorate.trading.paper.log_lines import line

    def listen(record: Record) -> None:
        if not (quiet and isinstance(record, DecidedRecord) and record.action == Action.HOLD):
            said = line(record)
            if said is not None:
                _log.info("%s", said)
        if notify is not None:
            notify(record)

    return listen


@contextmanager
def _until_interrupted(session: PaperSession) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM ends the session after its step, a second one at once: nothing is lost either way."""
    # A handler breaks in anywhere, perhaps where the very lock is held that stopping takes, or in the middle of a line
    # of the log. So it does no more than wake somebody who may.
    reading, writing = os.pipe()
    before: dict[int, Any] = {}

    def note(number: int, _frame: object) -> None:
        signal.signal(number, before[number])
        os.write(writing, _ASKED)

    def heed() -> None:
        if os.read(reading, 1) == _ASKED:
            _log.warning("ending after the step at hand; once more ends it now")
            session.stop()

    watcher = threading.Thread(target=heed, name="quorate-interrupts")
    watcher.start()
    for caught in (signal.SIGINT, signal.SIGTERM):
        before[caught] = signal.signal(caught, note)
    try:
        yield
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)
        os.write(writing, _OVER)
        watcher.join()
        for end in (reading, writing):
            os.close(end)


def _log_to_stderr() -> None:
    """What a session does is its output: told from INFO on."""
    quorate = logging.getLogger("quorate")
    if quorate.getEffectiveLevel() > logging.INFO:
        quorate.setLevel(logging.INFO)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        quorate.addHandler(handler)
        quorate.propagate = False
