-- Revision 30. Frozen. Webhooks: where events go, each event on its way to one endpoint, each request that was made.
CREATE TABLE webhook_endpoints (
    id UUID CONSTRAINT pk_webhook_endpoints PRIMARY KEY,
    organization_id UUID NOT NULL
        CONSTRAINT fk_webhook_endpoints_organization_id REFERENCES organizations (id),
    agent_id TEXT,
    url TEXT NOT NULL,
    event_types TEXT[] NOT NULL,
    description TEXT,
    reads_content BOOLEAN NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled', 'deleted')),
    disabled_reason TEXT CHECK (disabled_reason IN ('requested', 'gone', 'failing')),
    disabled_at TIMESTAMPTZ,
    failing_since TIMESTAMPTZ,
    sealed_secret BYTEA NOT NULL,
    sealed_old_secret BYTEA,
    old_secret_until TIMESTAMPTZ,
    cursor UUID NOT NULL,
    position BIGINT NOT NULL,
    replay_cursor UUID,
    replay_types TEXT[],
    replaying_since TIMESTAMPTZ,
    lease_owner UUID,
    leased_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CHECK ((status = 'disabled') = (disabled_at IS NOT NULL AND disabled_reason IS NOT NULL)),
    CHECK ((sealed_old_secret IS NULL) = (old_secret_until IS NULL)),
    CHECK ((replay_types IS NULL) = (replaying_since IS NULL))
);
CREATE INDEX ix_webhook_endpoints_newest ON webhook_endpoints (organization_id, id DESC);

CREATE TABLE webhook_deliveries (
    id UUID CONSTRAINT pk_webhook_deliveries PRIMARY KEY,
    endpoint_id UUID NOT NULL,
    event_id UUID NOT NULL,
    position BIGINT,
    event_type TEXT NOT NULL,
    session_id UUID,
    state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    attempts_made INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    queued_at TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    CONSTRAINT uq_webhook_deliveries_event UNIQUE (endpoint_id, event_id),
    CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL))
);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX ix_webhook_deliveries_newest ON webhook_deliveries (endpoint_id, id DESC);
CREATE INDEX ix_webhook_deliveries_state_newest ON webhook_deliveries (endpoint_id, state, id DESC);
CREATE INDEX ix_webhook_deliveries_session ON webhook_deliveries (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX ix_webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE state <> 'pending';

CREATE TABLE webhook_attempts (
    delivery_id UUID NOT NULL
        CONSTRAINT fk_webhook_attempts_delivery_id REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    ms INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    answer TEXT,
    CONSTRAINT pk_webhook_attempts PRIMARY KEY (delivery_id, number)
);
ALTER TABLE webhook_attempts ALTER COLUMN answer SET STATISTICS 0; -- it may quote an event
