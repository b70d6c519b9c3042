"""Run the smallest OpenCL kernel on the first device of the first platform, and print the device's name.

A process of its own, because a runtime that does not fit the CPU may end it. Exit code 0: the kernel gave 42.
"""

import ctypes
import ctypes.util
import sys

SOURCE = b"__kernel void answer(__global int *result) { result[0] = 42; }"
DEVICE_TYPE_ALL, DEVICE_NAME, MEM_READ_WRITE = 0xFFFFFFFF, 0x102B, 1


def main() -> int:
    library = ctypes.CDLL(ctypes.util.find_library("OpenCL") or "libOpenCL.so.1")
    handle, status = ctypes.c_void_p, ctypes.c_int()
    for made in ("Context", "CommandQueue", "ProgramWithSource", "Kernel", "Buffer"):
        getattr(library, f"clCreate{made}").restype = handle

    def done(code: int) -> None:
        if code != 0:
            sys.exit(f"OpenCL error {code}")

    platform, device = handle(), handle()
    done(library.clGetPlatformIDs(1, ctypes.byref(platform), None))
    done(library.clGetDeviceIDs(platform, ctypes.c_uint64(DEVICE_TYPE_ALL), 1, ctypes.byref(device), None))
    name = ctypes.create_string_buffer(200)
    done(library.clGetDeviceInfo(device, DEVICE_NAME, ctypes.c_size_t(200), name, None))
    context = handle(library.clCreateContext(None, 1, ctypes.byref(device), None, None, ctypes.byref(status)))
    done(status.value)
    queue = handle(library.clCreateCommandQueue(context, device, ctypes.c_uint64(0), ctypes.byref(status)))
    done(status.value)
    source = ctypes.c_char_p(SOURCE)
    program = handle(library.clCreateProgramWithSource(context, 1, ctypes.byref(source), None, ctypes.byref(status)))
    done(status.value)
    done(library.clBuildProgram(program, 1, ctypes.byref(device), None, None, None))
    kernel = handle(library.clCreateKernel(program, b"answer", ctypes.byref(status)))
    done(status.value)
    buffer = handle(
        library.clCreateBuffer(context, ctypes.c_uint64(MEM_READ_WRITE), ctypes.c_size_t(4), None, ctypes.byref(status))
    )
    done(status.value)
    done(library.clSetKernelArg(kernel, 0, ctypes.c_size_t(ctypes.sizeof(handle)), ctypes.byref(buffer)))
    one, result = ctypes.c_size_t(1), ctypes.c_int(0)
    done(library.clEnqueueNDRangeKernel(queue, kernel, 1, None, ctypes.byref(one), None, 0, None, None))
    done(
        library.clEnqueueReadBuffer(
            queue, buffer, 1, ctypes.c_size_t(0), ctypes.c_size_t(4), ctypes.byref(result), 0, None, None
        )
    )
    print(name.value.decode())
    return 0 if result.value == 42 else 1


if __name__ == "__main__":
    sys.exit(main())
