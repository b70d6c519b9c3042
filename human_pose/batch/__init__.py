"""The command `python -m human_pose.batch`: the poses of many videos, on one machine or many."""
