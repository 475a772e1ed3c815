"""What the fake gateway holds: enterprises, credit files, consents, feed, log."""
