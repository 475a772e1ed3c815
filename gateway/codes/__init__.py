"""Enterprise codes (企业码): one random id for each printed sticker, and the page behind it."""
