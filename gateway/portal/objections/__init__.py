"""Portal pages on which an enterprise objects to a record and follows the objection."""
