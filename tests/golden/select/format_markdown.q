-- Markdown: a table, with `|` escaped.
-- ARGS --format markdown
SELECT 1 AS n, 'a|b' AS bar, CAST(NULL AS INT) AS nothing;
