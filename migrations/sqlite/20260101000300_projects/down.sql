DROP TABLE actors;
DROP TABLE access_scopes;
DROP TABLE projects;
