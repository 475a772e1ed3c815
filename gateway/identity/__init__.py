"""The people of an enterprise: sign-in, sessions, who may act for whom, what they are asked."""
