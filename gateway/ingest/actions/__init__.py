"""Acts of sources on their own records: repair, suspend, withdraw, correct, reinstate, approve."""
