"""`xinqiao-gateway`, for operators."""
