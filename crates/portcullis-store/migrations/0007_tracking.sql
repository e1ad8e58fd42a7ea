-- What connectors tell of subjects. No decision depends on it: no row carries a revision.

CREATE TABLE subjects (
    -- 12 bytes.
    id {BLOB} NOT NULL PRIMARY KEY,
    -- That of the connector's owner.
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    -- The account that a user is linked to; it may be gone.
    account {BLOB},
    -- A JSON object.
    traits TEXT NOT NULL,
    created {INT} NOT NULL,
    changed {INT} NOT NULL
) {STRICT};
CREATE INDEX subjects_by_organization ON subjects (organization, kind, id);
CREATE INDEX subjects_by_account ON subjects (account) WHERE account IS NOT NULL;

-- What is told together is written together: a name may come a moment before its subject.
CREATE TABLE identifiers (
    organization {BLOB} NOT NULL,
    subject_kind TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    subject {BLOB} NOT NULL REFERENCES subjects (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (organization, subject_kind, kind, value)
) {STRICT};
CREATE INDEX identifiers_by_subject ON identifiers (subject);

CREATE TABLE events (
    id {BLOB} NOT NULL PRIMARY KEY,
    organization {BLOB} NOT NULL,
    subject {BLOB} NOT NULL REFERENCES subjects (id) DEFERRABLE INITIALLY DEFERRED,
    event TEXT NOT NULL,
    -- Told twice of one subject, it happened once.
    event_id TEXT,
    -- When it happened, as far as that was told.
    moment {INT} NOT NULL,
    -- JSON objects.
    context TEXT NOT NULL,
    properties TEXT NOT NULL,
    -- The credential of whoever told it.
    connector {BLOB} NOT NULL
) {STRICT};
CREATE UNIQUE INDEX events_by_event_id ON events (subject, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX events_by_subject ON events (subject, moment, id);
CREATE INDEX events_by_organization ON events (organization, id);

-- Which batches were applied, so that one that comes again changes nothing.
CREATE TABLE receipts (
    connector {BLOB} NOT NULL,
    digest {BLOB} NOT NULL,
    moment {INT} NOT NULL,
    PRIMARY KEY (connector, digest)
) {STRICT};
CREATE INDEX receipts_by_moment ON receipts (moment);
