"""Portal pages of an enterprise's own codes: issue, list, print, reissue, revoke."""
