"""Removal of secrets from log records, for programs whose logging is not Quorate's."""

from __future__ import annotations

import logging

from quorate.core.redaction import redact

_TRACEBACKS = logging.Formatter()


class RedactingFilter(logging.Filter):
    """Removes secrets from the records of one logger; loggers below it have filters of their own."""

    def filter(self, record: logging.LogRecord) -> bool:
        redact_record(record)
        return True


class RedactingHandler(logging.Handler):
    """Removes secrets from the records of a logger and of all below it, before the handlers of loggers above it.

    It writes nothing. A record goes to the handlers of its logger first, then to those of each logger above, so that
    the program's own handlers receive what this one has left.
    """

    def emit(self, record: logging.LogRecord) -> None:
        redact_record(record)


def redact_record(record: logging.LogRecord) -> None:
    """Replace a record's message and traceback by texts without secrets."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):
        return  # arguments that do not fit the text, which the program's handler reports with its place
    record.msg, record.args = redact(message), None
    if record.exc_info and record.exc_info[0] is not None:
        # As text: the exceptions themselves hold the secrets still.
        record.exc_text = redact(record.exc_text or _TRACEBACKS.formatException(record.exc_info))
        record.exc_info = None


def redact_logger(name: str) -> None:
    """Remove secrets from all records of a logger and of those below it. Twice is once."""
    logger = logging.getLogger(name)
    if not any(isinstance(handler, RedactingHandler) for handler in logger.handlers):
        logger.addHandler(RedactingHandler())
