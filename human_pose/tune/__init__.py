"""The command python -m human_pose.tune: what is best on this machine, found by measuring."""
