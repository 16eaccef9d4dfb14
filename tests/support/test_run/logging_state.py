"""What `configure_logging` changes in a process, put back for the tests that follow in it."""

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logging_put_back() -> Iterator[None]:
    """Handlers, levels, hooks and structlog are afterwards what they were, whoever configured them meanwhile."""
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    levels = {name: logger.level for name, logger in root.manager.loggerDict.items() if hasattr(logger, "level")}
    shown = warnings.showwarning
    _log_plainly()
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, logging.raiseExceptions = handlers, level, raising
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    for name, before in levels.items():
        logger = logging.getLogger(name)
        if logger.level != before:  # each setLevel empties the caches of all loggers
            logger.setLevel(before)
    warnings.showwarning = shown
    _log_plainly()


def _log_plainly() -> None:
    """Left to itself structlog draws each traceback with all locals in it, which takes seconds under a tracer."""
    structlog.reset_defaults()
    printer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], printer])
