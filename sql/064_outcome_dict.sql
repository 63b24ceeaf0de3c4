-- How a task ended, by its id.
create or replace dictionary {db}.outcome_dict (task_id String, outcome String)
primary key task_id
source(clickhouse({credentials}query 'select task_id, outcome from {db}.task_outcomes final'))
layout(complex_key_hashed())
lifetime(min 5 max 15)
comment 'Outcomes of tasks';
