"""Keys and what is signed with them: tokens (JWS) and responses (HTTP message signatures)."""
