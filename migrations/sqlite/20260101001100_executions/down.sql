DROP TABLE execution_keys;
DROP TABLE executions;
DROP TABLE baselines;
DROP TABLE repositories;
