"""What Prefect's page shows of runs, and how their files are reached from it."""
