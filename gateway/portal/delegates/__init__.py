"""Portal pages on which a legal representative appoints and dismisses delegates."""
