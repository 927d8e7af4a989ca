-- issue: findings of the load by file, severity, check and column.
-- grain: one row per file x severity x rule x column
-- params: none
select file_number, severity, rule, column_name, n_findings, n_rows
from issue
order by file_number, severity, rule, column_name
