"""What sessions leave behind: words, recordings, transcripts, summaries."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.database.tables.metadata import TIME, metadata

log_entries = Table(  # messages and transcript segments, in one order
    "log_entries",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),  # message or segment
    Column("role", Text, nullable=False),
    Column("speaker", Text),  # a name to show
    Column("identity", Text),  # of the participant
    Column("text", Text, nullable=False),  # empty with a reason
    Column("reason", Text),  # why what was spoken has no text: not_understood
    Column("content", JSONB(none_as_null=True)),  # content blocks; null: `text` is all
    Column("start_ms", BigInteger),  # from `started_at`
    Column("end_ms", BigInteger),
    Column("at_ms", BigInteger, nullable=False),  # where it lies in the order of time; a trigger writes it
    Column("final", Boolean, nullable=False, server_default=text("true")),
    Column("confidence", Float),
    Column("words", JSONB(none_as_null=True)),
    Column("source", Text, nullable=False),  # api, lk.chat, lk.transcription, speech
    Column("external_id", Text),  # of the stream or segment; logged once
    Column("created_at", TIME, nullable=False),
    Column("delivered_at", TIME),  # when it was in the room; null: it waits for a worker
    UniqueConstraint("session_id", "source", "external_id", name="uq_log_entries_external"),
    Index("ix_log_entries_messages", "session_id", "seq", postgresql_where=text("kind = 'message'")),
    Index("ix_log_entries_segments", "session_id", "seq", postgresql_where=text("kind = 'segment'")),
    Index(
        "ix_log_entries_undelivered",
        "session_id",
        "seq",
        postgresql_where=text("source = 'api' AND delivered_at IS NULL"),
    ),
    Index("ix_log_entries_time", "session_id", "at_ms", "seq", postgresql_where=text("final")),
    Index(
        "ix_log_entries_published",
        "session_id",
        "identity",
        postgresql_where=text("source = 'lk.transcription' AND final"),
    ),
)

transcripts = Table(  # of sessions that ran and are over
    "transcripts",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False),  # pending, available, or incomplete: without speech
    Column("created_at", TIME, nullable=False),
    Column("attempted_at", TIME),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", TIME),
    Column("engine", Text),  # what recognized speech; null: nothing did
    Column("model", Text),
    Column("language", Text),
    Column("code", Text),  # why it is incomplete, or why the last attempt failed
    Column("message", Text),
    Column("object_key", Text),  # of conversation.json
    Index("ix_transcripts_pending", "session_id", postgresql_where=text("state = 'pending'")),
)

summaries = Table(
    "summaries",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", Uuid, nullable=False),  # of the last run
    Column("state", Text, nullable=False),  # of that run: generating, available, failed
    Column("requested_at", TIME, nullable=False),
    Column("attempted_at", TIME),
    Column("finished_at", TIME),
    Column("transcript_sha256", Text),  # what that run read
    Column("code", Text),  # why it failed
    Column("message", Text),
    Column("stored_sha256", Text),  # what summary.json was made from; null: there is none
    Column("object_key", Text),
    Index("ix_summaries_generating", "session_id", postgresql_where=text("state = 'generating'")),
)

transcript_versions = Table(  # made anew; version 1 is the log's
    "transcript_versions",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),  # generating, available, failed
    Column("asked_engine", Text),  # null: the installation's
    Column("asked_language", Text),
    Column("requested_at", TIME, nullable=False),
    Column("attempted_at", TIME),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("finished_at", TIME),
    Column("engine", Text),
    Column("model", Text),
    Column("language", Text),
    Column("audio", Text),  # what was heard: tracks or mix
    Column("code", Text),  # why it failed
    Column("message", Text),
    Column("segments", JSONB(none_as_null=True)),  # of speech, in the order of time
    Index("ix_transcript_versions_generating", "session_id", postgresql_where=text("state = 'generating'")),
)

live_transcripts = Table(  # of sessions whose speech is recognized while they run
    "live_transcripts",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("owner", Uuid, nullable=False),  # the speech process that follows it
    Column("held_until", TIME, nullable=False),
    Column("heard_ms", BigInteger, nullable=False, server_default=text("0")),  # what began before is done
    Column("language", Text),  # of the last utterance
    Column("model", Text),  # of the engine
)

recordings = Table(
    "recordings",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("plan", JSONB, nullable=False),  # frozen once; every builder makes the same bytes from it
    Column("frozen_at", TIME, nullable=False),
    Column("committed_at", TIME),
    Column("object_key", Text),
    Column("sha256", Text),
    Column("size_bytes", BigInteger),
    Column("duration_ms", BigInteger),
    Column("sample_rate", Integer),
    Column("channels", Integer),
    Column("peak_dbfs", Float),
    Column("tracks", JSONB),
    Column("gaps", JSONB),
    Column("absences", JSONB),  # null where an older release built it
)

recording_files = Table(  # made from stored recordings, or to be made
    "recording_files",
    metadata,
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("identity", Text, primary_key=True),  # of the participant; empty: everybody's mix
    Column("format", Text, primary_key=True),
    Column("state", Text, nullable=False),  # pending, available, incomplete (lacks what was lost), or failed
    Column("requested_at", TIME, nullable=False),
    Column("attempted_at", TIME),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("object_key", Text),
    Column("sha256", Text),
    Column("size_bytes", BigInteger),
    Index("ix_recording_files_pending", "session_id", postgresql_where=text("state = 'pending'")),
)
