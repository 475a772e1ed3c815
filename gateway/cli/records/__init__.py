"""Commands `record`: an enterprise's stored records; masking and natural keys of what is stored."""
