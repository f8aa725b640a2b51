-- PostgreSQL needs a function for its triggers; SQLite's triggers carry their own body.
SELECT 1;
