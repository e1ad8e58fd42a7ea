-- Keys that sign on behalf of many users.

-- A key has as many sessions as it has users: each user's are counted by themselves.
DROP INDEX sessions_by_parent;
CREATE INDEX sessions_by_parent ON sessions (parent, owner, revision) WHERE state = 'active';

-- Signatures that count once, for as long as they would count at all.
CREATE TABLE spent_signatures (
    credential {BLOB} NOT NULL REFERENCES credentials (id),
    digest {BLOB} NOT NULL,
    until {INT} NOT NULL,
    PRIMARY KEY (credential, digest)
) {STRICT};
CREATE INDEX spent_signatures_by_until ON spent_signatures (until);
