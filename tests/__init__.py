import human_pose  # noqa: F401  before openvino, which it keeps from telling its makers of every test
