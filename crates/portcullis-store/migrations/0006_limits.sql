-- Where single credentials count, and which replaced which.

-- JSON, its form versioned in it (limits.rs); NULL for what counts wherever its owner may.
ALTER TABLE credentials ADD COLUMN limits TEXT;
ALTER TABLE sessions ADD COLUMN limits TEXT;

-- A credential that was replaced, and still counts for a while beside its successor.
CREATE TABLE rotations (
    credential {BLOB} NOT NULL PRIMARY KEY REFERENCES credentials (id),
    successor {BLOB} NOT NULL REFERENCES credentials (id),
    moment {INT} NOT NULL,
    -- How often it had been used by then.
    uses {INT} NOT NULL
) {STRICT};
CREATE INDEX rotations_by_successor ON rotations (successor);
