"""Authorised query (授权查询): records of one enterprise, under its consent."""
