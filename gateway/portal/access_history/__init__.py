"""Portal pages of the access history: disclosures to clients and refused attempts."""
