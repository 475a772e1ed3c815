"""Enterprise codes (企业码): QR stickers, their public page, and the pages that manage them."""
