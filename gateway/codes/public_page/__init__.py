"""The public page of an enterprise code, as HTML and as JSON, and the pages of invalid codes."""
