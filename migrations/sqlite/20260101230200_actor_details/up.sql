ALTER TABLE actors ADD COLUMN description TEXT
    CONSTRAINT actors_description_length CHECK (length(description) BETWEEN 1 AND 500);

-- SQLite cannot change a CHECK, and copying the table would break what refers to it. A CHECK that takes more is true of
-- every row there is, so its text alone changes. The column above has told other connections to read the schema anew.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
    SET sql = replace(sql, '''agent'', ''service'')', '''agent'', ''service'', ''session'', ''orchestrator'', ''observer'')')
    WHERE type = 'table' AND name = 'actors';
PRAGMA writable_schema = RESET;
