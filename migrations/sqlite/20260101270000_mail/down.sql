DROP TABLE mailed_invitations;
DROP TABLE outbox;
