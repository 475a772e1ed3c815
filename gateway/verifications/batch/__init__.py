"""Batches of verifications, `POST /v1/verifications/batch`: lines in, answers in the same order out.

The core for lines from anywhere is `answer_lines.LineAnswerer`: a set of lines in, a text for each out,
logged, counted and committed.
"""
