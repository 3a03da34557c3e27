"""A challenge of the champion by another bundle, by its name and its journal: run, status, stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

from quorate.core.arguments import FUNCTION, TEXT, require_types
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import require_arguments, require_callback, require_flags, settings_of
from quorate.workflows.paper.options import PaperOptions

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.lifecycle.challenge.promote import ConfirmPromotion
    from quorate.lifecycle.challenge.session import ChallengeSession
    from quorate.lifecycle.challenge.status import ChallengeStatus
    from quorate.lifecycle.online.publish import PublishedLearner
    from quorate.trading.journal import Journal, Record, Role
    from quorate.workflows.bundles import StoreLike
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.predictors import BundleLike
    from quorate.workflows.results.champion_change import ChampionChange


class ChallengeRun:
    """A challenge that is ready to run, from where its journal ends.

    Args:
        session: that runs it.
        journal: of the challenge.
        settings: of the status.
    """

    def __init__(self, session: ChallengeSession, journal: Journal, settings: Settings) -> None:
        self._session, self._journal, self._settings = session, journal, settings

    def run(self) -> ChallengeStatus:
        """Compare bar by bar until a verdict, the end of the feed, or `stop`.

        Raises:
            JournalError: the journals contradict the challenge.
            TradingError: as `PaperAccount.run`.
        """
        from quorate.lifecycle.challenge.state import require_state
        from quorate.lifecycle.challenge.status import status_of

        self._session.run()
        return status_of(require_state(self._journal), self._settings.evaluation)

    def stop(self) -> None:
        """End after the step at hand; the challenge can be resumed. May be called from any thread."""
        self._session.stop()


class Challenge:
    """A paired test of two bundles on the same bars, each in a paper account of its own with the same rules.

    Nothing is promoted by the test: a person does it, by `promote`. What a challenger has learnt that won is made a
    bundle by `publish`.

    Args:
        name: of the challenge; None for `challenge.name` of the settings. The accounts are NAME.champion and
            NAME.challenger.
        journal: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; None for `journal.url` of the settings.
        settings: None for those of quorate.toml and the environment.

    Attributes:
        name: of the challenge.
        url: of its journal.
        settings: in force.
    """

    def __init__(
        self, name: str | None = None, journal: str | None = None, *, settings: Settings | None = None
    ) -> None:
        self.settings = settings = settings_of(settings)
        require_types("open a challenge", name=(name, TEXT.optional), journal=(journal, TEXT.optional))
        self.name = name or settings.challenge.name
        self.url = journal or settings.journal.url

    def run(
        self,
        champion: BundleLike,
        challenger: BundleLike,
        data: Data | None = None,
        *,
        exchange: str | None = None,
        online: bool = False,
        listener: Callable[[Record], None] | None = None,
        progress: Progress = silent,
        **options: Unpack[PaperOptions],
    ) -> ChallengeStatus:
        """Run from where the journal ends: a replay to the end of its candles, live candles until a verdict.

        Args:
            champion: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
            challenger: likewise.
            data: stored candles to replay: a Freqtrade data folder, or candles as `open_source` takes them.
            exchange: instead: live candles of this exchange, as ccxt names it.
            online: the challenger's trees and networks learn on from matured labels; it may then be the champion's
                bundle.
            listener: called with every record of the challenge once it is in the journal.
            progress: of reading candles.
            **options: see `PaperOptions`; the same for both bundles.

        Raises:
            ArgumentError: arguments that contradict each other, one bundle twice, or a challenge that has ended.
            BundleError: a bundle is missing, altered, of another timeframe, or lacks the policy.
            TrainingSpanError: a replay of bars that trained one of the bundles, unless allowed.
            JournalTakenError: it is running already.
            JournalError: the journal cannot be opened, or is of other bundles.
            ExchangeError: a request to the exchange failed.
        """
        with self.session(
            champion,
            challenger,
            data,
            exchange=exchange,
            online=online,
            listener=listener,
            progress=progress,
            **options,
        ) as session:
            return session.run()

    @contextmanager
    def session(
        self,
        champion: BundleLike,
        challenger: BundleLike,
        data: Data | None = None,
        *,
        exchange: str | None = None,
        online: bool = False,
        listener: Callable[[Record], None] | None = None,
        progress: Progress = silent,
        **options: Unpack[PaperOptions],
    ) -> Iterator[ChallengeRun]:
        """A challenge that is ready to run and can be stopped from another thread; arguments and errors as of `run`."""
        from quorate.lifecycle.challenge.prepare import prepare

        require_arguments(self.run, options, PaperOptions.__optional_keys__)
        require_types("run the challenge", listener=(listener, FUNCTION.optional), exchange=(exchange, TEXT.optional))
        require_callback(progress=progress)
        require_flags(online=online)
        bundles = champion, challenger
        with prepare(
            self.name, self.url, self.settings, bundles, data, exchange, listener, progress, options, online=online
        ) as (session, journal):
            yield ChallengeRun(session, journal, self.settings)

    def status(self) -> ChallengeStatus:
        """Verdict, e-values and differences, read from the journal; the challenge need not be running.

        Raises:
            UnknownAccountError: no challenge of that name.
            JournalError: a journal that cannot be read.
        """
        from quorate.lifecycle.challenge.state import require_state
        from quorate.lifecycle.challenge.status import status_of

        with self._open("reader") as journal:
            return status_of(require_state(journal), self.settings.evaluation)

    def stop(self, *, who: str, note: str = "") -> ChallengeStatus:
        """Stop the challenge for good, whether it is running or not; a running one ends at its next bar.

        Args:
            who: whose decision it is.
            note: the reason, for the journal.

        Raises:
            ArgumentError: it has ended already.
            UnknownAccountError: no challenge of that name.
            JournalError: a journal that cannot be read or written.
        """
        from quorate.core.clock import now_ms
        from quorate.core.errors import ArgumentError
        from quorate.lifecycle.challenge.state import require_state
        from quorate.lifecycle.challenge.status import status_of
        from quorate.trading.journal import HumanRecord

        require_types("stop the challenge", who=(who, TEXT), note=(note, TEXT))
        with self._open("human") as journal:
            state = require_state(journal)
            if state.judgement is not None:
                raise ArgumentError(
                    f"stop the challenge '{self.name}'",
                    found=f"one that has ended: {state.judgement.verdict}, {state.judgement.reason}",
                    expected="one that goes on",
                )
            time = state.start.time if state.evidence.last is None else state.evidence.last
            journal.append([HumanRecord(time=time, at=now_ms(), action="stop", guard="", who=who, note=note)])
            return status_of(require_state(journal), self.settings.evaluation)

    def publish(
        self, bundles: StoreLike, *, why: str = "", by: str | None = None, force: bool = False
    ) -> PublishedLearner:
        """Publish what a challenger that learns on has learnt, as a bundle; it is not promoted.

        Args:
            bundles: folder with the bundle that it began at.
            why: reason, for the log.
            by: who publishes it, for the log; None for the user of this process.
            force: also without a verdict for the challenger; needs `why`.

        Raises:
            ArgumentError: a challenger that does not learn on, or that has not won, unless forced with a reason.
            UnknownAccountError: no challenge of that name.
            DataError: nothing was learnt, or the file of it is missing or damaged.
            BundleError: the bundle that it began at is not in the folder, or altered.
            JournalError: a journal that cannot be read.
        """
        from quorate.ensemble.bundle.bundle_store import BundleStore
        from quorate.lifecycle.challenge.state import require_state
        from quorate.lifecycle.online.publish import publish_learner
        from quorate.lifecycle.online.state_file import state_file

        require_types("publish what was learnt", why=(why, TEXT), by=(by, TEXT.optional))
        require_flags(force=force)
        with self._open("reader") as journal:
            state = require_state(journal)
        store = bundles if isinstance(bundles, BundleStore) else BundleStore(bundles)
        file = state_file(self.name, state.start, self.settings.online)
        return publish_learner(state, file, store, self.settings, why=why, by=by, force=force)

    def promote(
        self,
        bundles: StoreLike,
        *,
        why: str = "",
        by: str | None = None,
        force: bool = False,
        confirm: ConfirmPromotion | None = None,
    ) -> ChampionChange | None:
        """Make the challenger that has won the champion of its folder, as the decision of a person.

        Args:
            bundles: folder of both bundles.
            why: the reason, for the history.
            by: who decided; None for the user of this process.
            force: also without a verdict for the challenger, or where another bundle is champion now; needs `why`.
            confirm: called with what would change; where it returns False, nothing is promoted and None returned.

        Raises:
            ArgumentError: no victory, another champion, a challenger that learns on, or `force` without a reason.
            UnknownAccountError: no challenge of that name.
            BundleError: no such bundle in the folder, or one that fails the verification; the champion stays.
            JournalError: a journal that cannot be read.
        """
        from quorate.ensemble.bundle.bundle_store import BundleStore
        from quorate.lifecycle.challenge.promote import promote_winner
        from quorate.lifecycle.challenge.state import require_state

        require_types(
            "promote the challenger", why=(why, TEXT), by=(by, TEXT.optional), confirm=(confirm, FUNCTION.optional)
        )
        require_flags(force=force)
        with self._open("reader") as journal:
            state = require_state(journal)
        store = bundles if isinstance(bundles, BundleStore) else BundleStore(bundles)
        trust = self.settings.bundle
        return promote_winner(state, store, why=why, by=by, force=force, confirm=confirm, trust=trust)

    def _open(self, role: Role) -> Journal:
        from quorate.trading.journal import Journal

        return Journal.open(self.url, self.name, role=role, settings=self.settings.journal)
