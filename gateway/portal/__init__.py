"""The enterprise's own pages: it decides, sees who looked, and takes back what it gave."""
