"""Citizens' reports that a code does not fit its shop: form, operator's queue, enterprise's view."""
