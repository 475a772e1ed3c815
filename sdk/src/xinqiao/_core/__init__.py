"""The inside of the SDK: nothing here is public, and nothing here does I/O.

Flows (generators, see `steps`) yield what they need done and receive its outcome; `xinqiao._client`
drives them, once blocking and once with asyncio.
"""
