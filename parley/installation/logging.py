"""Logging of every process: structlog and the standard library into one stream, all of it through the redactor.

LiveKit's SDK writes whole tokens into its log lines and exceptions, so the redactor sees the finished text of each
line besides the values that go into it. JSON lines, or readable ones when stderr is a terminal.

Whoever logs never waits for who reads: what is written to a descriptor goes through a `LogWriter`.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

import structlog

from parley.installation.log_writer import LogWriter
from sessions.settings import LogLevel
from sessions.texts.redaction import redact, redact_value

_QUIET: dict[str, int] = {
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "livekit": logging.WARNING,
    "procrastinate": logging.WARNING,  # its INFO lines print all arguments and results
    "psycopg.pool": logging.ERROR,  # a database restart is a warning per second and connection
}

_FLUSH_SECONDS = 1.0


def configure_logging(level: LogLevel, *, stream: TextIO | None = None, process: str = "") -> Callable[[], int]:
    """Send everything that this process logs to `stream` (default: stderr), redacted.

    `process` names the process in each line. Uncaught exceptions and warnings are logged too, never printed raw.

    Returns:
        What tells how many lines were dropped so far.
    """
    target = sys.stderr if stream is None else stream
    fd = _descriptor(target)
    handler = _CarefulHandler(target) if fd is None else _WaitlessHandler(fd)
    handler.process = process
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(handler),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler.setFormatter(_RedactingFormatter(_to_text(target), handler))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable
    return lambda: handler.dropped_lines


def rename_process(process: str) -> Callable[[], int]:
    """Name this process in each line from now on, a fork of one that has called `configure_logging`.

    Returns:
        As that does, for this process.
    """
    [handler] = logging.getLogger().handlers
    assert isinstance(handler, _CarefulHandler | _WaitlessHandler)
    handler.process = process
    return lambda: handler.dropped_lines


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, to_text: list[structlog.typing.Processor], handler: "_Handler") -> None:
        super().__init__(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *to_text],
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_shared(handler)],
            keep_exc_info=False,
            use_get_message=True,
        )

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _CarefulHandler(logging.StreamHandler[TextIO]):
    process = ""
    dropped_lines = 0  # it waits

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Say that a line was lost; the standard library would print its arguments unredacted.

        Where stderr is lost, too (both are on a disk that is full), nothing is said: whoever logs goes on.
        """
        with suppress(OSError, ValueError):
            sys.stderr.write(f"a log line of {record.name} could not be written\n")


class _WaitlessHandler(logging.Handler):
    """Writes in a thread of its own; `close`, which `logging.shutdown` calls at exit, waits for it a little."""

    process = ""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._writer = LogWriter(fd, self._dropped_line)

    @property
    def dropped_lines(self) -> int:
        """So far."""
        return self._writer.dropped_lines

    def emit(self, record: logging.LogRecord) -> None:
        """Raises nothing, and never blocks."""
        try:
            line = self._line(record)
        except Exception:  # whatever a record's arguments do when they are printed
            line = f"a log line of {record.name} could not be written\n".encode()
        with suppress(RuntimeError):  # the first line of a process that is ending: no thread begins any more
            self._writer.write(line)

    def flush(self) -> None:
        """Wait until everything is written, a moment at most."""
        self._writer.drain(_FLUSH_SECONDS)

    def _line(self, record: logging.LogRecord) -> bytes:
        return (self.format(record) + "\n").encode(errors="backslashreplace")

    def _dropped_line(self, lines: int) -> bytes:
        return self._line(_warning("log.dropped", lines=lines))


_Handler = _CarefulHandler | _WaitlessHandler


def _warning(event: str, **values: object) -> logging.LogRecord:
    """A line of our own that goes past all loggers."""
    said = {"name": "parley.log", "levelno": logging.WARNING, "levelname": "WARNING", "msg": event}
    return logging.makeLogRecord({**said, **values})


def _descriptor(target: TextIO) -> int | None:
    """The open descriptor of a stream that has one."""
    try:
        return target.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _shared(handler: _Handler) -> list[structlog.typing.Processor]:
    def name_process(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if handler.process:
            event.setdefault("process", handler.process)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        name_process,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redact_event,
    ]


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own, taken out before the text is made
            event[name] = redact_value({name: value})[name]
    return event


def _to_text(target: TextIO) -> list[structlog.typing.Processor]:
    if target.isatty():
        return [structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ)]
    return [structlog.processors.JSONRenderer(default=lambda value: redact(repr(value)), ensure_ascii=False)]


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("parley").critical("error.uncaught", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    error = unraisable.exc_value
    if error is not None:
        logging.getLogger("parley").error("error.unraisable", exc_info=(type(error), error, unraisable.exc_traceback))
