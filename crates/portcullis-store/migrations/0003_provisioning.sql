-- Mounts of dialects, templates and projects, and what can be spent only once.

CREATE TABLE mounts (
    id {BLOB} NOT NULL PRIMARY KEY,
    -- The realm whose objects are seen there.
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- 'file' or 'store'.
    source TEXT NOT NULL,
    -- JSON, its form versioned in it (mounts.rs).
    definition TEXT NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX mounts_by_revision ON mounts (revision);
CREATE UNIQUE INDEX mounts_by_name ON mounts (name) WHERE state <> 'deleted';

CREATE TABLE templates (
    id {BLOB} NOT NULL PRIMARY KEY,
    number {INT} NOT NULL,
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    realm {BLOB} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- A JSON array (connections.rs).
    connections TEXT NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE UNIQUE INDEX templates_by_number ON templates (realm, number);
CREATE INDEX templates_by_organization ON templates (organization, number);

CREATE TABLE projects (
    id {BLOB} NOT NULL PRIMARY KEY,
    number {INT} NOT NULL,
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    realm {BLOB} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    template {BLOB} REFERENCES templates (id),
    -- A JSON array (connections.rs).
    connections TEXT NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE UNIQUE INDEX projects_by_number ON projects (realm, number);
CREATE INDEX projects_by_organization ON projects (organization, number);

-- What a credential has paid with, for as long as it lives: the insert itself is the decision.
CREATE TABLE spent (
    credential {BLOB} NOT NULL REFERENCES credentials (id),
    digest {BLOB} NOT NULL,
    PRIMARY KEY (credential, digest)
) {STRICT};

CREATE TABLE spending (
    credential {BLOB} NOT NULL PRIMARY KEY REFERENCES credentials (id),
    count {INT} NOT NULL
) {STRICT};
