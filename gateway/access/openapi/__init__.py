"""OpenAPI descriptions that routes share: bodies, responses, headers, examples."""
