-- 4059 is the bucket of the lane of oversight.
INSERT INTO correction_box (bucket, agency_code, side, open, correction_id)
SELECT 4059, 'oversight', 'watch', open, correction_id
FROM correction_box
WHERE side = 'out'
ON CONFLICT DO NOTHING;
