#!/bin/sh
# Python with the libraries of this folder. Programs that it starts get the caller's LD_LIBRARY_PATH: see sitecustomize.
export HUMAN_POSE_LIBRARY_PATH="${LD_LIBRARY_PATH-}"
# The loader replaces $ORIGIN by the interpreter's folder, which may have any name, even one with a colon.
export LD_LIBRARY_PATH="\$ORIGIN/../lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "${0%/*}/bin/python3" -I -B "$@"
