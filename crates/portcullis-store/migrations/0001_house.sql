-- One set for both engines: {INT}, {BLOB} and {STRICT} are the words that differ (migrations.rs).
-- Ids are 16 bytes, moments are milliseconds since the Unix epoch, booleans are 0 and 1.
-- Every row that a decision depends on carries the revision of its last change.

CREATE TABLE meta (
    id {INT} NOT NULL PRIMARY KEY CHECK (id = 1),
    revision {INT} NOT NULL,
    -- Changes up to here may have been purged: who is below must load everything anew.
    floor {INT} NOT NULL,
    epoch {BLOB} NOT NULL,
    -- The highest wall time ever persisted: expiry is never judged by less.
    wall_high {INT} NOT NULL
) {STRICT};

CREATE TABLE peppers (
    id {INT} NOT NULL PRIMARY KEY,
    sealed {BLOB} NOT NULL,
    created {INT} NOT NULL
) {STRICT};

CREATE TABLE organizations (
    id {BLOB} NOT NULL PRIMARY KEY,
    number {INT} NOT NULL,
    parent {BLOB} REFERENCES organizations (id),
    name TEXT NOT NULL,
    realm {INT} NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX organizations_by_revision ON organizations (revision);
CREATE UNIQUE INDEX organizations_by_number ON organizations (number);
CREATE INDEX organizations_by_parent ON organizations (parent, id);
CREATE UNIQUE INDEX organizations_by_name ON organizations (parent, name) WHERE state <> 'deleted';

CREATE TABLE sequences (
    realm {BLOB} NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    last {INT} NOT NULL,
    PRIMARY KEY (realm, kind)
) {STRICT};

CREATE TABLE users (
    id {BLOB} NOT NULL PRIMARY KEY,
    number {INT} NOT NULL,
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    realm {BLOB} NOT NULL REFERENCES organizations (id),
    login TEXT,
    email TEXT,
    name TEXT NOT NULL,
    -- Whether the user may sign in at all; user 2, Anonymous, never does.
    signs_in {INT} NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX users_by_revision ON users (revision);
CREATE UNIQUE INDEX users_by_number ON users (realm, number);
CREATE UNIQUE INDEX users_by_login ON users (realm, login) WHERE state <> 'deleted';
CREATE UNIQUE INDEX users_by_email ON users (organization, email) WHERE state <> 'deleted';
CREATE INDEX users_by_organization ON users (organization, id);

CREATE TABLE roles (
    id {BLOB} NOT NULL PRIMARY KEY,
    -- A built-in role belongs to no organization, is the same everywhere and cannot be edited.
    organization {BLOB} REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- A JSON array of names.
    abilities TEXT NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX roles_by_revision ON roles (revision);
CREATE UNIQUE INDEX roles_by_name ON roles (organization, name) WHERE state <> 'deleted';
CREATE UNIQUE INDEX roles_built_in ON roles (name) WHERE organization IS NULL;

CREATE TABLE grants (
    role {BLOB} NOT NULL REFERENCES roles (id),
    -- A user or a group.
    holder {BLOB} NOT NULL,
    holder_kind TEXT NOT NULL,
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    state TEXT NOT NULL,
    revision {INT} NOT NULL,
    PRIMARY KEY (holder, role, organization)
) {STRICT};
CREATE INDEX grants_by_revision ON grants (revision);

CREATE TABLE credentials (
    id {BLOB} NOT NULL PRIMARY KEY,
    scheme TEXT NOT NULL,
    key TEXT NOT NULL,
    verifier {BLOB} NOT NULL,
    owner {BLOB} NOT NULL REFERENCES users (id),
    label TEXT NOT NULL,
    read_only {INT} NOT NULL,
    state TEXT NOT NULL,
    not_before {INT},
    expires {INT},
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX credentials_by_revision ON credentials (revision);
CREATE UNIQUE INDEX credentials_by_key ON credentials (scheme, key);
CREATE INDEX credentials_by_owner ON credentials (owner, id);

CREATE TABLE guards (
    id {BLOB} NOT NULL PRIMARY KEY,
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    -- 'file' or 'store'.
    source TEXT NOT NULL,
    -- JSON, its form versioned in it (guards.rs).
    definition TEXT NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX guards_by_revision ON guards (revision);
CREATE UNIQUE INDEX guards_by_name ON guards (name) WHERE state <> 'deleted';

-- One row a write, in its transaction: by `request` an unknown outcome is looked up.
CREATE TABLE audit (
    revision {INT} NOT NULL PRIMARY KEY,
    request {BLOB} NOT NULL,
    moment {INT} NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) {STRICT};
CREATE UNIQUE INDEX audit_by_request ON audit (request);

-- One row a process that serves; changed by compare-and-set on seq.
CREATE TABLE nodes (
    incarnation {BLOB} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    seq {INT} NOT NULL,
    applied {INT} NOT NULL,
    key_ids TEXT NOT NULL
) {STRICT};
