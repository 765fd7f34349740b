"""What the boxes of the conformance suite run. Each is a whole program, for `python -I -c`."""

READY = "import os, sys, time, signal\nos.write(1, b'ready')\n"

ECHO = "import os\nwhile data := os.read(0, 1 << 20):\n    while data:\n        data = data[os.write(1, data):]\n"

SILENT = READY + "while True: time.sleep(60)\n"

LATE = READY + "os.read(0, 1)\nos.write(1, b'late')\ntime.sleep(60)\n"

BUSY_ECHO = (
    READY
    + "import select\nwhile True:\n    if select.select([0], [], [], 0)[0]: os.write(1, os.read(0, 1) or sys.exit(0))\n"
)

FLOOD = READY + "piece = b'x' * 65536\nwhile True: os.write(1, piece)\n"

FLOOD_THEN_READ = """
import os, sys
for _ in range(int(os.read(0, 3))):
    sys.stdout.buffer.write(b'x' * 65536)
sys.stdout.buffer.flush()
size = 0
while size < 3 * 1024 * 1024:
    size += len(os.read(0, 1 << 20))
os.write(1, b'done')
"""

STDERR_FLOOD = READY + "for n in range(64): os.write(2, b'%d' % (n % 10) * 65536)\nos.write(1, b'after')\n"

ENDLESS_STDERR = READY + "piece = b'x' * 65536\nwhile True: os.write(2, piece)\n"

LAST_WORDS = READY + "os.write(2, b'last words')\nos._exit(3)\n"

GRANDCHILD = (
    READY
    + """
if os.fork() == 0:
    while True: time.sleep(60)
os.write(1, b'%08d' % os.getpid())
os.read(0, 1)
"""
)

WORK = (
    READY
    + """
end = time.process_time() + 0.3
ballast = bytearray(64 * 1024 * 1024)
ballast[::4096] = b'x' * len(ballast[::4096])
while time.process_time() < end: pass
os.write(1, b'worked')
os.read(0, 1)
"""
)

EVALUATE = """
import contextlib, ctypes, errno, os, resource, socket, struct, subprocess, sys, threading, time
from pathlib import Path
def exact(size):
    data = b''
    while len(data) < size:
        data += os.read(0, size - len(data)) or sys.exit(0)
    return data
def refused(action):
    try:
        return f'allowed: {action()!r}'
    except OSError as error:
        return errno.errorcode[error.errno]
def syscall(number, *arguments):
    ctypes.set_errno(0)
    result = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return 'allowed' if result >= 0 else errno.errorcode[ctypes.get_errno()]
while True:
    question = exact(struct.unpack('>I', exact(4))[0]).decode()
    try:
        value = str(eval(question))
    except BaseException as error:
        value = f'{type(error).__name__}: {error}'
    os.write(1, struct.pack('>I', len(value.encode())) + value.encode())
"""
