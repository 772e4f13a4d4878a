-- Where a server is reached, as it says itself, for operators. Nothing for one of an earlier version.
ALTER TABLE nodes ADD COLUMN address text CONSTRAINT nodes_address_length CHECK (length(address) BETWEEN 1 AND 255);
