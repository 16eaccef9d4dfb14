-- Revision 1. Frozen: what changes later is a revision of its own.

CREATE TABLE organizations (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    default_agent_id TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_organizations PRIMARY KEY (id),
    CONSTRAINT uq_organizations_name UNIQUE (name)
);

CREATE TABLE api_keys (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    kind TEXT NOT NULL,
    agent_id TEXT,
    name TEXT,
    scopes TEXT[] NOT NULL,
    sha256 BYTEA NOT NULL,
    prefix TEXT NOT NULL,
    last_four TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_organization_id FOREIGN KEY(organization_id) REFERENCES organizations (id),
    CONSTRAINT uq_api_keys_sha256 UNIQUE (sha256)
);
CREATE INDEX ix_api_keys_organization_id ON api_keys (organization_id);

CREATE TABLE sessions (
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT DEFAULT 1 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    url TEXT,
    room_key TEXT,
    room_name TEXT,
    worker_identity TEXT,
    audio_source TEXT,
    subscribe_to_identity TEXT,
    synthetic_audio_if_no_input BOOLEAN DEFAULT false NOT NULL,
    token_expires_at TIMESTAMPTZ,
    quality TEXT NOT NULL,
    multiplier NUMERIC(6, 3) NOT NULL,
    max_duration_seconds INTEGER NOT NULL,
    idle_timeout_seconds INTEGER NOT NULL,
    layout TEXT NOT NULL,
    on_pause TEXT NOT NULL,
    metadata JSONB DEFAULT '{}' NOT NULL,
    tags TEXT[] DEFAULT '{}' NOT NULL,
    title TEXT,
    agent_id TEXT NOT NULL,
    task_id TEXT,
    project_id TEXT,
    model_id TEXT,
    capabilities JSONB DEFAULT '[]' NOT NULL,
    prompt TEXT,
    data JSONB,
    external_customer_id TEXT,
    preview TEXT,
    output_preview TEXT,
    message_count INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    start_at TIMESTAMPTZ,
    queued_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ,
    running_since TIMESTAMPTZ,
    first_frame_at TIMESTAMPTZ,
    paused_at TIMESTAMPTZ,
    ending_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    failed_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    last_active_at TIMESTAMPTZ,
    archived_at TIMESTAMPTZ,
    outcome TEXT,
    end_reason TEXT,
    error_code TEXT,
    error_message TEXT,
    recording_state TEXT DEFAULT 'none' NOT NULL,
    recording_reason TEXT,
    lost_runs INTEGER DEFAULT 0 NOT NULL,
    lost_alone INTEGER DEFAULT 0 NOT NULL,
    ledger_ms BIGINT DEFAULT 0 NOT NULL,
    ledger_at TIMESTAMPTZ,
    finalize_attempted_at TIMESTAMPTZ,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT ck_sessions_kind CHECK (kind IN ('voice', 'text')),
    CONSTRAINT ck_sessions_status CHECK (status IN ('created', 'queued', 'starting', 'running', 'paused', 'ending', 'ended', 'failed', 'canceled')),
    CONSTRAINT ck_sessions_outcome CHECK (outcome IN ('ended', 'failed', 'canceled')),
    CONSTRAINT ck_sessions_ending CHECK (status <> 'ending' OR (outcome IS NOT NULL AND ending_at IS NOT NULL))
);
CREATE INDEX ix_sessions_claimable ON sessions (id) WHERE kind = 'voice' AND status IN ('queued', 'starting', 'running', 'paused');
CREATE INDEX ix_sessions_ending ON sessions (id) WHERE status = 'ending';
CREATE INDEX ix_sessions_newest ON sessions (organization_id, id DESC);
CREATE INDEX ix_sessions_status_newest ON sessions (organization_id, status, id DESC);
CREATE UNIQUE INDEX uq_sessions_room_identity ON sessions (organization_id, room_key, room_name, worker_identity) WHERE kind = 'voice' AND status IN ('created', 'queued', 'starting', 'running', 'paused', 'ending');

CREATE TABLE worker_tokens (
    session_id UUID NOT NULL,
    slot TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_worker_tokens PRIMARY KEY (session_id, slot),
    CONSTRAINT fk_worker_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT ck_worker_tokens_slot CHECK (slot IN ('customer', 'refreshed'))
);

CREATE TABLE runs (
    session_id UUID NOT NULL,
    epoch INTEGER NOT NULL,
    owner UUID NOT NULL,
    host TEXT NOT NULL,
    alone BOOLEAN DEFAULT false NOT NULL,
    claimed_at TIMESTAMPTZ NOT NULL,
    beat_at TIMESTAMPTZ NOT NULL,
    joined_at TIMESTAMPTZ,
    billed_at TIMESTAMPTZ,
    released_at TIMESTAMPTZ,
    lost BOOLEAN DEFAULT false NOT NULL,
    sealed_at TIMESTAMPTZ,
    billable_ms BIGINT DEFAULT 0 NOT NULL,
    frames BIGINT DEFAULT 0 NOT NULL,
    audio_ms BIGINT DEFAULT 0 NOT NULL,
    peak_dbfs FLOAT,
    first_frame_at TIMESTAMPTZ,
    CONSTRAINT pk_runs PRIMARY KEY (session_id, epoch),
    CONSTRAINT fk_runs_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE INDEX ix_runs_owner ON runs (owner) WHERE sealed_at IS NULL;

CREATE TABLE session_events (
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    epoch INTEGER NOT NULL,
    status_from TEXT,
    status_to TEXT,
    code TEXT,
    fault TEXT,
    data JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_session_events PRIMARY KEY (session_id, seq),
    CONSTRAINT fk_session_events_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);

CREATE TABLE recordings (
    session_id UUID NOT NULL,
    id UUID NOT NULL,
    plan JSONB NOT NULL,
    frozen_at TIMESTAMPTZ NOT NULL,
    committed_at TIMESTAMPTZ,
    object_key TEXT,
    sha256 TEXT,
    size_bytes BIGINT,
    duration_ms BIGINT,
    sample_rate INTEGER,
    channels INTEGER,
    peak_dbfs FLOAT,
    tracks JSONB,
    gaps JSONB,
    CONSTRAINT pk_recordings PRIMARY KEY (session_id),
    CONSTRAINT fk_recordings_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE
);

CREATE TABLE usage_events (
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    epoch INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    quality TEXT NOT NULL,
    multiplier NUMERIC(6, 3) NOT NULL,
    credits NUMERIC(20, 3) NOT NULL,
    agent_id TEXT NOT NULL,
    external_customer_id TEXT,
    recorded_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_usage_events PRIMARY KEY (id),
    CONSTRAINT uq_usage_events_session_id_from_ms UNIQUE (session_id, from_ms),
    CONSTRAINT ck_usage_events_kind CHECK (kind IN ('accrual', 'final')),
    CONSTRAINT ck_usage_events_range CHECK (from_ms >= 0 AND (from_ms < to_ms OR (kind = 'final' AND from_ms = to_ms)))
);
CREATE INDEX ix_usage_events_tail ON usage_events (organization_id, recorded_at, id);

CREATE TABLE idempotency_keys (
    organization_id UUID NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    holder UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    status INTEGER,
    body BYTEA,
    session_id UUID,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (organization_id, route, key)
);
CREATE INDEX ix_idempotency_keys_session_id ON idempotency_keys (session_id);

-- Exactly one row says that a session's bill is complete.
CREATE UNIQUE INDEX uq_usage_events_final ON usage_events (session_id) WHERE kind = 'final';

-- The bill is append-only, also for superusers and replication.
CREATE FUNCTION parley_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows are the bill', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER usage_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_events
    FOR EACH STATEMENT EXECUTE FUNCTION parley_refuse_change();
ALTER TABLE usage_events ENABLE ALWAYS TRIGGER usage_events_append_only;
