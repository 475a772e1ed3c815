"""`xinqiao verify`: a file of enterprises, asked in batches, and a file of answers beside its own columns."""
