"""The frame around every page that a person sees: language, headers, stylesheet, refusals."""
