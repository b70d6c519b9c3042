"""Who is who: each person keeps a number from frame to frame."""
