"""Verification jobs, `/v1/verifications/jobs`: up to a million lines, answered in the background.

`lifecycle` is pure; `client_store`, `worker_store` and `deletion_store` hold one query per function;
`receive_lines` takes a file; `answer_set` answers one set of lines; `result` streams what was answered;
`deletion` deletes with a proof.
"""
