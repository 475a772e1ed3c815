"""Verification (核验), `POST /v1/verifications`: yes/no questions about one enterprise."""
