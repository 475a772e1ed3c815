"""Portal pages on which a representative appoints and dismisses delegates."""
