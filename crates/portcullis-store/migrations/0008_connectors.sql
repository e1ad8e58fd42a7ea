-- What connectors keep here for themselves. No decision depends on it: no row carries a revision.

CREATE TABLE connectors (
    credential {BLOB} NOT NULL PRIMARY KEY REFERENCES credentials (id),
    -- A JSON object, sealed: it holds what they prove themselves with elsewhere.
    settings {BLOB},
    -- A JSON object.
    status TEXT NOT NULL
) {STRICT};
