"""Watches: lists of enterprises whose clients are told when an answer may have changed, never the answer."""
