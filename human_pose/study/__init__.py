"""The study: every device at every precision, repeatedly and fairly, against the original framework."""
