"""Private, sans-IO core of the SDK: protocol logic as generators (see `flow`).

A flow yields the I/O step it needs and is sent its outcome; `_client` runs flows blocking,
`_async_client` with asyncio. `api` and `batch` hold what a client does, `transport` what each call needs,
`evidence` and `signatures` what verifies, `wire` the values.
"""
