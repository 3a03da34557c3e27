"""What holds for every test."""

import logging

import pytest
from hypothesis import settings

from golden.machine import changes, machine
from golden.stored import MACHINE, read
from quorate.core import redaction
from quorate.core.errors import ModelError
from quorate.models.byte_products import require_exact

# How long an example takes says how busy the machine is; nothing here is a timed test.
settings.register_profile("untimed", settings(deadline=None))
settings.load_profile("untimed")


def pytest_report_header():
    """How `tests/golden` compares figures on this machine."""
    other = changes(read(MACHINE), machine())
    if not other:
        return "golden documents: to the last bit"
    return [f"golden documents: within 1e-9, networks in outline; stored with {'; '.join(other)}"]


@pytest.fixture(autouse=True)
def _own_secrets():
    """Forget the secrets that a test registers: the process masks them in every later message.

    Those of fixtures that outlive the test stay.
    """
    known, pattern = set(redaction._known), redaction._by_value
    yield
    redaction._known.intersection_update(known)
    redaction._by_value = pattern


@pytest.fixture(autouse=True)
def _own_logging():
    """Undo what a verb that logs to standard error sets, when it runs in the process of the tests."""
    logger = logging.getLogger("quorate")
    level, handlers, propagate = logger.level, logger.handlers[:], logger.propagate
    yield
    logger.setLevel(level)
    logger.handlers[:], logger.propagate = handlers, propagate


@pytest.fixture(scope="session")
def exact_byte_products():
    """Skips a test of 8-bit graphs on a processor without VNNI, which cannot run them."""
    try:
        require_exact("run 8 bits")
    except ModelError as error:
        pytest.skip(str(error))
