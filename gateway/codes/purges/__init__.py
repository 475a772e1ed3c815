"""Purges of enterprise code pages at a CDN: what is noted with each change, and taken to be sent."""
