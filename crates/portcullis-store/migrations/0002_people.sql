-- Groups, memberships, sessions and usage; organizations know their place in the tree.

-- The numbers of all organizations from the root to this one, eight bytes each: what begins with
-- it stands below. The first migration knew no other organization than the root.
ALTER TABLE organizations ADD COLUMN path {BLOB} NOT NULL DEFAULT {X}0000000000000001{/X};
CREATE UNIQUE INDEX organizations_by_path ON organizations (path);
-- Siblings may share a name: scripts make one each night.
DROP INDEX organizations_by_name;

CREATE TABLE groups (
    id {BLOB} NOT NULL PRIMARY KEY,
    organization {BLOB} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX groups_by_revision ON groups (revision);
CREATE UNIQUE INDEX groups_by_name ON groups (organization, name) WHERE state <> 'deleted';

CREATE TABLE members (
    member {BLOB} NOT NULL REFERENCES users (id),
    circle {BLOB} NOT NULL REFERENCES groups (id),
    state TEXT NOT NULL,
    revision {INT} NOT NULL,
    PRIMARY KEY (member, circle)
) {STRICT};
CREATE INDEX members_by_revision ON members (revision);
CREATE INDEX members_by_circle ON members (circle, member);

DROP INDEX users_by_organization;
CREATE INDEX users_by_organization ON users (organization, number);

CREATE INDEX grants_by_role ON grants (role);

-- What was minted from a credential: it expires no later, and is judged by it at each request.
CREATE TABLE sessions (
    id {BLOB} NOT NULL PRIMARY KEY,
    scheme TEXT NOT NULL,
    key TEXT NOT NULL,
    verifier {BLOB} NOT NULL,
    owner {BLOB} NOT NULL REFERENCES users (id),
    parent {BLOB} NOT NULL REFERENCES credentials (id),
    read_only {INT} NOT NULL,
    state TEXT NOT NULL,
    expires {INT} NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX sessions_by_revision ON sessions (revision);
CREATE UNIQUE INDEX sessions_by_key ON sessions (scheme, key);
CREATE INDEX sessions_by_parent ON sessions (parent, revision) WHERE state = 'active';
CREATE INDEX sessions_by_expiry ON sessions (expires);

-- What a credential was used for, written in batches and never in a request.
CREATE TABLE usage (
    credential {BLOB} NOT NULL PRIMARY KEY,
    last_used {INT} NOT NULL,
    uses {INT} NOT NULL
) {STRICT};
