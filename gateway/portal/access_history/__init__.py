"""Portal pages that list who was told what about the enterprise."""
