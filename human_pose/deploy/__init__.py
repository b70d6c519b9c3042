"""The command `python -m human_pose.deploy`: one folder that runs the demo on a machine with nothing installed."""
