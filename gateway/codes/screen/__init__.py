"""On-screen enterprise codes: sealed addresses that last a minute, and their pages."""
