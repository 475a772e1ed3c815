"""Finding personal numbers in texts. `gateway.creditfile.free_text` is its door."""
