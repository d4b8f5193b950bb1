from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = """
import sys
sys.path.append("custom")
import numpy as np
from fedaid.training.heap import give_back_freed_memory
if sys.argv[1] == "yes":
    give_back_freed_memory()
np.ones(20 * 2**20, np.uint8)  # freed at once, by which glibc learns to keep blocks of this size
blocks = [np.ones(2 * 2**20, np.uint8) for _ in range(100)]
del blocks[:-1]
status = open("/proc/self/status").read()
print(int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024)
"""


def held(choice: str) -> int:
    """MiB that a process still holds after it has freed 198."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", SOURCE, choice], cwd=root, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_freed_blocks_go_back_to_the_machine_though_a_later_one_is_in_use() -> None:
    assert held("yes") < held("no") - 150
