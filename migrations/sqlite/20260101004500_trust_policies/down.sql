DROP TABLE exchanged_identities;
DROP TABLE trust_attempts;
DROP TABLE trust_policies;
