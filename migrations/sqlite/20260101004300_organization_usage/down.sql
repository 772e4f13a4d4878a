DROP TABLE organization_usage;
