DROP TABLE session_uses;
