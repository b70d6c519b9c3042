#!/bin/sh
# Python with the libraries of this folder. Programs that it starts get the caller's LD_LIBRARY_PATH: see sitecustomize.
here=${0%/*}
export HUMAN_POSE_LIBRARY_PATH="${LD_LIBRARY_PATH-}"
export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/bin/python3" -I -B "$@"
