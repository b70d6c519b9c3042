"""The rooms of the pose demo; `human_pose_est.py` shows how they work together."""
