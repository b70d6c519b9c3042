"""Who is in view: numbers from frame to frame, calm skeletons, visits. Needs only poses and numpy."""
