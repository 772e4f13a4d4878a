DROP TABLE sessions;
DROP TABLE memberships;
DROP TABLE roles;
DROP TABLE users;
