"""Who is who from frame to frame, who is in view since when, and who crosses a line."""
