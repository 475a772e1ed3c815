"""Authorised query (授权查询), `POST /v1/queries`: records of one enterprise under its consent."""
