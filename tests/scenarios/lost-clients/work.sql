-- Jobs that were done.
SELECT count(*) FROM jobs;
