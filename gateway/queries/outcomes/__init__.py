"""Outcomes over HTTP: `PUT /v1/queries/{id}/outcome`, `GET /v1/outcomes`."""
