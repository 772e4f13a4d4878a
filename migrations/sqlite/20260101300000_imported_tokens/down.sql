DROP TABLE imported_tokens;
