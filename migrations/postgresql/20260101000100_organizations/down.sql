DROP TABLE organizations;
DROP TABLE deployment;
