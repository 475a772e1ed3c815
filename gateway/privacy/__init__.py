"""Field encryption, and the masking of personal numbers in free text."""
