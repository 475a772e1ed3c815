"""The OAuth 2.0 authorization server: pushed requests, codes and tokens, by the FAPI 2.0 profile."""
