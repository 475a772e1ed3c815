"""Keys, JOSE, HTTP message signatures of requests and responses, Merkle trees."""
