-- SQLite has no TRUNCATE: its DELETE trigger sees every row.
SELECT 1;
