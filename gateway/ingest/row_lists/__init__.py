"""Lists of a job's rejected rows and warnings: stored by code, worded when they are read."""
