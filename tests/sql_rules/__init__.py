"""The rules of distributed tables, checked on the statements that the gateway holds and sends."""
