"""People from frame to frame: who is who, and poses that do not tremble."""
