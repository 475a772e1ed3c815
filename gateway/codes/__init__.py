"""Enterprise codes (企业码): issue, print, revoke, and the public page behind each."""
