DROP TABLE leak_alerts;
