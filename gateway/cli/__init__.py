"""Command line of the gateway for operators (`xinqiao-gateway`)."""
