"""The HTTP API: one router per noun, problem details for every error."""
