"""Journal records in words: log lines, and the lines of all others."""

from __future__ import annotations

from quorate.core.clock import format_ms
from quorate.core.text import counted
from quorate.trading.account.currency import currencies, in_currency
from quorate.trading.journal import records


def line(record: records.Record, currency: str = "") -> str | None:
    """The log line of a record; None for records that are not logged.

    Args:
        record: of a journal.
        currency: of the account; empty for that of the record's market, or as the record says where it names none.

    >>> line(records.MovedRecord(1746057600000, "BTC/USDT:USDT", 93_000.5))
    '2025-05-01 00:00 BTC/USDT:USDT stop moved to 93000.5'
    """
    text = _text(record)
    if text is None:
        return None
    currency = currency or record_currency(record)
    return f"{format_ms(record.time)} {in_currency(text, currency)}"


def words(record: records.Record, currency: str = "") -> str:
    """A record as one line: its log line, or what it says where it is not logged.

    Args:
        record: of a journal.
        currency: as in `line`.

    >>> words(records.ValuedRecord(1746057600000, "close", 1_000.25, 990.0))
    '2025-05-01 00:00 equity at the close 1,000.25 USD, cash 990.00 USD, nothing open'
    """
    logged = line(record, currency)
    if logged is not None:
        return logged
    currency = currency or record_currency(record)
    return f"{format_ms(record.time)} {in_currency(_unlogged(record), currency)}"


def record_currency(record: records.Record) -> str:
    """Currency of the market that a record names; "USD" where it names none."""
    match record:
        case records.ClosedRecord(trade=trade):
            symbol = trade.symbol
        case _:
            symbol = getattr(record, "symbol", "") or ""
    return currencies([symbol]) if symbol else "USD"


def _text(record: records.Record) -> str | None:
    match record:
        case records.DecidedRecord(symbol=symbol, action=action, confidence=confidence, rule=rule, line=votes):
            return f"{symbol} {action.name} {confidence:.0%} by {rule} | {votes}"
        case records.PanelRecord(symbol=symbol, strength=strength, share=share, view=view):
            replies, abstentions = (len(view.get(name, ())) for name in ("replies", "abstentions"))
            asked = f" ({replies} of {replies + abstentions} roles replied)" if view else ""
            mark = ", CONTAMINATED" if record.contaminated else ""
            return f"{symbol} panel: {strength}, {share:.0%} of the ordinary stake{asked}{mark}"
        case records.RefusedRecord(symbol=symbol, reason=reason, note=note):
            return f"{symbol} no entry: {reason}{f' ({note})' if note else ''}"
        case records.FilledRecord(symbol=symbol, order=order, size=size, entry=entry):
            side = "long" if order.side > 0 else "short"
            return (
                f"{symbol} {side} {size.quantity:.8g} at {entry.price:.8g}, {size.leverage:g}x, "
                f"stop {size.stop:.8g}, target {size.target:.8g}"
                f"{'' if order.stake_factor == 1 else f', {order.stake_factor:.0%} of the ordinary stake'}"
            )
        case records.SettledRecord(symbol=symbol, cash_usd=cash):
            return f"{symbol} funding {cash:+.4f} USD"
        case records.MovedRecord(symbol=symbol, stop=stop):
            return f"{symbol} stop moved to {stop:.8g}"
        case records.ClosedRecord(trade=trade):
            return f"{trade.symbol} closed by {trade.reason} at {trade.exit_price:.8g}: {trade.net_usd:+.2f} USD"
        case records.IncreasedRecord(symbol=symbol, fill=fill, quantity=quantity, holding=holding, order=order):
            side, now = "long" if order.quantity > 0 else "short", holding.size.quantity
            return (
                f"{symbol} {side} {quantity:.8g} more at {fill.price:.8g}, {now:.8g} held, {holding.size.leverage:g}x"
            )
        case records.ReducedRecord(symbol=symbol, trade=trade, holding=holding):
            return (
                f"{symbol} {trade.quantity:.8g} less at {trade.exit_price:.8g}, {holding.size.quantity:.8g} held: "
                f"{trade.net_usd:+.2f} USD"
            )
        case records.UnfilledRecord(symbol=symbol, quantity=quantity, reason=reason, note=note):
            return f"{symbol} {quantity:+.8g} not traded: {reason}{f' ({note})' if note else ''}"
        case records.GuardMovedRecord(guard=guard, symbol=market, before=before, after=after, reason=reason):
            return f"guard {guard}{f' {market}' if market else ''}: {before} -> {after}: {reason}"
        case records.LadderMovedRecord(before=before, after=after, reason=reason):
            return f"ladder: step {before} -> {after}: {reason}"
        case records.DriftMovedRecord(stake_factor=share, reason=reason):
            return f"drift: {reason}; new entries with {share:.0%} of the ordinary stake"
        case records.BenchMovedRecord(model=model, benched=benched, reason=reason):
            return f"bench: {model} {f'is benched: {reason}' if benched else 'votes again'}"
        case records.SelectedRecord(after=after, reason=reason):
            return f"votes: {', '.join(after) or 'all members'} ({reason})"
        case records.ChallengedRecord(champion=champion, challenger=challenger):
            return f"challenge of {champion} by {challenger} began"
        case records.JudgedRecord(verdict=verdict, reason=reason):
            return f"challenge ended: {verdict}: {reason}"
        case records.FeedRecord(notice=notice, symbol=market, detail=detail):
            return f"feed {notice}{f' {market}' if market else ''}: {detail}"
        case _:
            return None


def _unlogged(record: records.Record) -> str:
    """What a record says that no log has."""
    match record:
        case records.StartedRecord(mode=mode, bundle_id=bundle, symbols=symbols, timeframe=timeframe):
            return f"{mode} session of {bundle} on {counted(len(symbols), 'market')} of {timeframe}"
        case records.IntentRecord(order=order, note=note):
            side = "long" if order.side > 0 else "short"
            less = f", {note}" if note else ""
            return f"{order.symbol} order: {side} at the next open, closes by {format_ms(order.due)}{less}"
        case records.TargetRecord(order=order):
            return f"{order.symbol} target: {order.quantity:+.8g} after the next open"
        case records.ValuedRecord(phase=phase, equity_usd=equity, cash_usd=cash, marks=marks):
            held = ", ".join(marks) or "nothing"
            return f"equity at the {phase} {equity:,.2f} USD, cash {cash:,.2f} USD, {held} open"
        case records.HumanRecord(action=action, guard=guard, who=who, note=note):
            what = f"{action} {guard}".rstrip()
            return f"{who} asked to {what}{f': {note}' if note else ''}"
        case records.NotifiedRecord(sent=sent, failed=failed, dropped=dropped):
            return f"webhook: {counted(sent, 'message')} sent, {failed} failed, {dropped} dropped"
        case records.ShadowRecord(symbol=symbol, votes=votes):
            listed = ", ".join(f"{vote.model} {vote.action.name} {vote.score:.0%}" for vote in votes)
            return f"{symbol} benched members would have voted {listed}"
        case records.ComparedRecord(champion_usd=champion, challenger_usd=challenger, markets=markets):
            return (
                f"champion {champion:,.2f} USD, challenger {challenger:,.2f} USD, {counted(markets, 'market')} forecast"
            )
        case _:
            return record.kind
