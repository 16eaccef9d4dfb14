"""No secret gets through the log, whichever way it comes."""

import errno
import io
import json
import logging
import sys
import threading

import pytest
import structlog

from parley.installation.logging import configure_logging

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ3b3JrZXIiLCJleHAiOjE3MDAwMDAwMDB9.c2lnbmF0dXJlLXBhcnQ"
SECRETS = (TOKEN, "c2lnbmF0dXJlLXBhcnQ", "eyJzdWIiOiJ3b3JrZXIi")


def clean(log: io.StringIO) -> str:
    """Everything that was logged, which holds no secret but says that there was one."""
    text = log.getvalue()
    assert [secret for secret in SECRETS if secret in text] == []
    assert "[redacted]" in text
    return text


def test_a_token_in_an_event_is_redacted(log: io.StringIO) -> None:
    """As part of a value, and nested."""
    structlog.get_logger("t").warning("joined", url=f"wss://x/rtc?access_token={TOKEN}", deep={"list": [TOKEN]})
    assert '"event": "joined"' in clean(log)


def test_a_member_named_like_a_secret_is_redacted_whatever_it_holds(log: io.StringIO) -> None:
    """Not every secret can be told from its looks."""
    structlog.get_logger("t").warning("made", worker_token="plain", nested={"password": "hunter2"}, other=TOKEN)
    text = clean(log)
    assert "plain" not in text
    assert "hunter2" not in text


def test_arguments_of_the_standard_library_are_redacted(log: io.StringIO) -> None:
    """LiveKit's own log lines carry the token as an argument."""
    logging.getLogger("livekit").error("signal failure for %s", TOKEN)
    clean(log)


def test_a_token_split_between_message_and_argument_is_redacted(log: io.StringIO) -> None:
    """The finished text counts."""
    head, _, tail = TOKEN.partition(".")
    logging.getLogger("livekit").error(f"{head}.%s", tail)  # noqa: G004
    clean(log)


def test_extra_members_are_redacted(log: io.StringIO) -> None:
    """Procrastinate passes a job's arguments so."""
    logging.getLogger("other").error("job", extra={"job": {"args": [TOKEN]}})
    clean(log)


def test_exceptions_are_redacted_with_their_causes(log: io.StringIO) -> None:
    """ConnectError's text holds the whole token on a 401."""
    try:
        try:
            raise RuntimeError(f"401: {TOKEN}")
        except RuntimeError as error:
            raise ValueError("join failed") from error
    except ValueError:
        structlog.get_logger("t").exception("failed")
        logging.getLogger("t").exception("failed")
    assert clean(log).count("RuntimeError: 401: [redacted]") == 2


def test_an_exception_as_a_value_is_redacted(log: io.StringIO) -> None:
    """Its repr would hold the token too."""
    structlog.get_logger("t").warning("failed", error=RuntimeError(TOKEN))
    clean(log)


def test_objects_are_redacted_as_they_are_printed(log: io.StringIO) -> None:
    """What JSON can't print is printed by its repr."""

    class Holder:
        def __repr__(self) -> str:
            return f"Holder({TOKEN})"

    structlog.get_logger("t").warning("failed", holder=Holder())
    clean(log)


def test_uncaught_exceptions_are_logged_and_redacted(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """Python would print them raw."""
    error = RuntimeError(TOKEN)
    sys.excepthook(RuntimeError, error, None)
    thread = threading.Thread(target=_raise, args=(error,))
    thread.start()
    thread.join()
    clean(log)
    assert TOKEN not in capsys.readouterr().err


def _raise(error: Exception) -> None:
    raise error


def test_a_line_that_cannot_be_formatted_is_not_printed_raw(
    log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """The standard library would print its arguments on stderr."""
    record = logging.LogRecord("t", logging.ERROR, __file__, 1, "%d", (TOKEN,), None)
    [ours] = [handler for handler in logging.getLogger().handlers if getattr(handler, "stream", None) is log]
    ours.handle(record)  # pytest's own handlers would raise
    captured = capsys.readouterr()
    assert TOKEN not in log.getvalue() + captured.err + captured.out
    assert "could not be written" in captured.err


def test_lines_are_json_objects_that_name_their_process(log: io.StringIO) -> None:
    """One per line, with level, logger and time."""
    structlog.get_logger("parley.x").info("started", port=1)
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {name: line[name] for name in ("event", "level", "logger", "process", "port")} == {
        "event": "started",
        "level": "info",
        "logger": "parley.x",
        "process": "test",
        "port": 1,
    }
    assert line["timestamp"].endswith("Z")


def test_procrastinate_does_not_print_the_arguments_of_jobs(log: io.StringIO) -> None:
    """Its INFO lines would, at any level of ours."""
    logging.getLogger("procrastinate.worker").info("Starting job run(session_id=1)")
    assert log.getvalue() == ""


class _FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_whoever_logs_goes_on_when_neither_the_log_nor_stderr_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are on a disk that is full: a request is answered, a recording goes on."""
    stream = _FullDisk()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        configure_logging("info", stream=stream)
        structlog.get_logger("test").info("request.handled", number=1)
