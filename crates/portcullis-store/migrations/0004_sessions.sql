-- Sessions that slide: a use moves their expiry, up to an end.

-- How many milliseconds a use extends it by, counted from the use; 0 for what does not slide.
ALTER TABLE sessions ADD COLUMN idle {INT} NOT NULL DEFAULT 0;
-- It never expires later than this.
ALTER TABLE sessions ADD COLUMN ends {INT} NOT NULL DEFAULT 0;
UPDATE sessions SET ends = expires;
