-- Keys that sign what upstreams are told.

CREATE TABLE signing_keys (
    id {BLOB} NOT NULL PRIMARY KEY,
    -- An uncompressed point of P-256.
    public {BLOB} NOT NULL,
    -- The private part under the master key; empty once it was deleted.
    sealed {BLOB} NOT NULL,
    signs_from {INT} NOT NULL,
    state TEXT NOT NULL,
    created {INT} NOT NULL,
    revision {INT} NOT NULL
) {STRICT};
CREATE INDEX signing_keys_by_revision ON signing_keys (revision);
