"""The public transparency log over HTTP, and each client's receipts."""
