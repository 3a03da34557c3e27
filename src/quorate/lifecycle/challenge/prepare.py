"""What a challenge runs on: two bundles, one feed, and three journals in one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from quorate.core.clock import now_ms
from quorate.core.errors import ArgumentError, JournalError
from quorate.core.progress import Progress
from quorate.workflows.inputs.selection import span
from quorate.workflows.paper.options import PaperOptions, require_consistent, selection_of
from quorate.workflows.paper.session import account_config, decide_by, load_for_session, open_feed

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Predictor
    from quorate.lifecycle.challenge.session import ChallengeSession
    from quorate.lifecycle.challenge.shared_feed import SharedFeed
    from quorate.lifecycle.online import OnlineLearner
    from quorate.targets.labels import Target
    from quorate.trading.account.contract import Contract
    from quorate.trading.journal import ChallengedRecord, Journal, Record
    from quorate.trading.paper import PaperSession
    from quorate.trading.paper.decided_signals import Decide
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike

#: Name of a bundle's account: that of the challenge, a point and one of these.
SIDES = ("champion", "challenger")


@dataclass(frozen=True, slots=True)
class Contender:
    """A side of a challenge.

    Attributes:
        id: of what decides.
        bundle: whose rules, target and class shares it has.
        decide: how it decides.
    """

    id: str
    bundle: Predictor
    decide: Decide

    @classmethod
    def of(cls, bundle: Predictor, *, allow: bool) -> Contender:
        """A bundle as it is; `allow` bars that trained it."""
        return cls(bundle.id, bundle, decide_by(bundle, allow_training_span=allow))


@contextmanager
def prepare(
    name: str,
    url: str,
    settings: Settings,
    bundles: tuple[BundleLike, BundleLike],
    data: Data | None,
    exchange: str | None,
    listener: Callable[[Record], None] | None,
    progress: Progress,
    options: PaperOptions,
    *,
    online: bool = False,
) -> Iterator[tuple[ChallengeSession, Journal]]:
    """Load both bundles, open the feed and the journals, and hold them open.

    Args:
        name: of the challenge.
        url: of the journal.
        settings: account, costs, guards, feed, exchange, and the terms of a new challenge.
        bundles: champion and challenger.
        data: stored candles to replay.
        exchange: instead: live candles of this exchange, as ccxt names it.
        listener: called with every record of the challenge once it is written.
        progress: of reading candles.
        options: markets, span and how to trade; the same for both.
        online: the challenger learns on.
    """
    from quorate.lifecycle.challenge.evidence import ChallengeEvidence, terms_of
    from quorate.lifecycle.challenge.forecasts import ForecastReader
    from quorate.lifecycle.challenge.notice import with_notice
    from quorate.lifecycle.challenge.session import ChallengeSession, ChallengeSides
    from quorate.lifecycle.challenge.shared_feed import SharedFeed
    from quorate.lifecycle.challenge.state import read_state
    from quorate.trading.journal import Journal
    from quorate.trading.webhook import url_of
    from quorate.workflows.inputs.market_data import require_unseen

    require_consistent(data, exchange, options)
    url_of()  # before anything is read or written
    if exchange is not None:
        settings = replace(settings, exchange=replace(settings.exchange, name=exchange))
    live = exchange is not None
    champion, challenger = (load_for_session(bundle, settings, options, live=live) for bundle in bundles)
    allow = options.get("allow_training_span", False)
    learner = _learner(challenger, settings, allow=allow) if online else None
    contender = Contender.of(challenger, allow=allow)
    if learner is not None:
        contender = Contender(learner.id, challenger, learner.decide)
    pair = Contender.of(champion, allow=allow), contender
    _require_two(*pair)
    start, end = span(selection_of(options))
    if data is not None:
        for bundle in (champion, challenger):
            require_unseen(bundle, start, end, allow=allow)
    with ExitStack() as stack:
        feed, contracts, synthetic = stack.enter_context(open_feed(data, champion, settings, progress, options))
        shared = SharedFeed(feed)
        synthetic = synthetic or champion.manifest.synthetic or challenger.manifest.synthetic
        open_journal = partial(Journal.open, url, settings=settings.journal)
        journal = stack.enter_context(open_journal(name, bundle_id=pair[1].id))
        state = read_state(journal)
        if state is None:
            begun = _begin(name, settings, pair, shared, live=live, synthetic=synthetic)
            journal.append([begun], idempotent=True)
            evidence = ChallengeEvidence(begun)
        elif state.judgement is not None:
            raise ArgumentError(
                f"start the challenge '{name}'",
                found=f"one that has ended: {state.judgement.verdict}",
                expected="a new name",
                remedy="Choose another `name`.",
            )
        else:
            _require_same(state.start, pair, shared, live=live)
            evidence = state.evidence
        if learner is not None:
            from quorate.lifecycle.online import state_file

            learner.keep_in(state_file(name, evidence.start, settings.online), evidence.last)
        terms = terms_of(evidence.start)
        journals = tuple(
            stack.enter_context(open_journal(f"{name}.{side}", bundle_id=contender.id))
            for side, contender in zip(SIDES, pair, strict=True)
        )
        ours, theirs = (
            _account(contender, own, shared, contracts, settings, options, live=live, synthetic=synthetic)
            for contender, own in zip(pair, journals, strict=True)
        )
        compares = not evidence.start.no_loss
        reader = ForecastReader(
            (journals[0], journals[1]), (champion, challenger), shared.symbols, terms.least_probability
        )
        sides = ChallengeSides(ours, theirs, reader if compares else None, _target(champion) if compares else None)
        told = with_notice(name, evidence.start, settings.notify, listener)
        yield ChallengeSession(shared, sides, journal, evidence, settings.paper, told), journal


def _learner(bundle: Predictor, settings: Settings, *, allow: bool) -> OnlineLearner:
    from quorate.lifecycle.online import OnlineLearner

    return OnlineLearner(bundle, settings.online, allow_training_span=allow)


def _account(
    contender: Contender,
    journal: Journal,
    feed: SharedFeed,
    contracts: dict[str, Contract],
    settings: Settings,
    options: PaperOptions,
    *,
    live: bool,
    synthetic: bool,
) -> PaperSession:
    """The session of a bundle's account: as one of `quorate paper run`, without messages to a webhook."""
    from quorate.trading.paper import PaperSession

    return PaperSession(
        feed,
        contender.decide,
        journal,
        account_config(contender.bundle, settings, contracts, guarded=options.get("guards", True)),
        bundle_id=contender.id,
        mode="live" if live else "replay",
        synthetic=synthetic,
        settings=settings.paper,
    )


def _begin(
    name: str,
    settings: Settings,
    pair: tuple[Contender, Contender],
    feed: SharedFeed,
    *,
    live: bool,
    synthetic: bool,
) -> ChallengedRecord:
    """The start of a new challenge.

    Raises:
        ArgumentError: the log-losses would decide and cannot be compared.
    """
    from quorate.trading.journal import ChallengedRecord

    champion, challenger = pair
    why = _no_loss(champion.bundle, challenger.bundle)
    if why and settings.challenge.decides == "log_loss":
        raise ArgumentError(
            f"start the challenge '{name}'",
            found=why,
            expected="two bundles that vote on the same target",
            remedy="Let the net return decide: set challenge.decides to net_return.",
        )
    return ChallengedRecord(
        time=feed.begin(),
        at=now_ms(),
        champion=champion.id,
        challenger=challenger.id,
        mode="live" if live else "replay",
        timeframe=feed.timeframe,
        symbols=feed.symbols,
        start_usd=settings.account.equity_usd,
        horizon=champion.bundle.manifest.horizon,
        terms=asdict(settings.challenge),
        no_loss=why,
        synthetic=synthetic,
    )


def _no_loss(champion: Predictor, challenger: Predictor) -> str:
    """Why the log-losses of two bundles cannot be compared; empty if they can."""
    if champion.stack is not None or challenger.stack is not None:
        return "a stack, whose members predict returns and no classes"
    ours, theirs = champion.manifest.target, challenger.manifest.target
    if (ours.horizon, ours.band) != (theirs.horizon, theirs.band):
        return (
            f"a champion that predicts {ours.horizon} bars and a band of {ours.band:g}, "
            f"and a challenger that predicts {theirs.horizon} bars and a band of {theirs.band:g}"
        )
    return ""


def _target(bundle: Predictor) -> Target:
    from quorate.targets import ForwardClass

    return ForwardClass(bundle.manifest.target.horizon, bundle.manifest.target.band)


def _require_two(champion: Contender, challenger: Contender) -> None:
    attempted = "challenge the champion"
    if champion.id == challenger.id:
        raise ArgumentError(attempted, found=f"the bundle {champion.id} twice", expected="two bundles")
    lengths = champion.bundle.manifest.timeframe, challenger.bundle.manifest.timeframe
    if lengths[0] != lengths[1]:
        raise ArgumentError(
            attempted, found=f"a bundle of {lengths[0]} and one of {lengths[1]}", expected="bundles of one timeframe"
        )


def _require_same(known: ChallengedRecord, pair: tuple[Contender, Contender], feed: SharedFeed, *, live: bool) -> None:
    """Refuse to resume a challenge of other bundles, markets or candles.

    Raises:
        JournalError: something differs.
    """
    champion, challenger = pair
    for what, before, now in (
        ("champion", known.champion, champion.id),
        ("challenger", known.challenger, challenger.id),
        ("mode", known.mode, "live" if live else "replay"),
        ("markets", ", ".join(known.symbols), ", ".join(feed.symbols)),
    ):
        if before != now:
            raise JournalError(
                "resume the challenge",
                found=f"the {what} {now}",
                expected=f"{before}, as when it began",
                remedy="Choose another `name` for a new challenge.",
            )
