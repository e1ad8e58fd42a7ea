-- What the owner of a key may read again, and who made and changed it.

CREATE TABLE key_details (
    credential {BLOB} NOT NULL PRIMARY KEY REFERENCES credentials (id),
    -- The whole key, sealed: only its owner is shown it.
    sealed {BLOB} NOT NULL,
    creator {BLOB} NOT NULL REFERENCES users (id),
    modifier {BLOB} NOT NULL REFERENCES users (id),
    modified {INT} NOT NULL
) {STRICT};
