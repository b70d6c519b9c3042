"""OpenVINO's own GPU plugin, on a GPU that is emulated on the CPU; see tests/emulated_gpu/conftest.py."""
