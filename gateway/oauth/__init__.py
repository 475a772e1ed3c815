"""The authorization server: pushed requests, codes, tokens; FAPI 2.0 grade, DPoP always."""
