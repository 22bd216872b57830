-- In version 1 there was one reader for all; received.read and .acknowledged are now
-- those of whoever came first.
CREATE TABLE reading (
	seq    INTEGER NOT NULL REFERENCES received ON DELETE CASCADE,
	reader TEXT NOT NULL,                    -- login name
	read   INTEGER, acknowledged INTEGER, discarded INTEGER,
	PRIMARY KEY (seq, reader)
) STRICT, WITHOUT ROWID;
CREATE INDEX reading_reader ON reading (reader, read);
INSERT INTO reading SELECT seq, audience, read, acknowledged, NULL FROM received
	WHERE audience <> '' AND (read IS NOT NULL OR acknowledged IS NOT NULL);
