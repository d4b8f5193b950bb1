"""Network namespaces of Linux, one a machine, joined by a bridge: each has its own addresses, ports and loopback."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
SUBNET = "10.213.77"


def ip(*words: str) -> None:
    """Runs ``ip``.

    Raises:
        OSError: with its last line, if it failed or is not installed.
    """
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def allowed() -> bool:
    """Whether this machine lets us make network namespaces."""
    try:
        with machines(["one"]):
            return True
    except OSError:
        return False


@contextmanager
def machines(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yields the address of each machine; this machine has the address that ends with 1.

    Raises:
        OSError: if the machine does not allow it.
    """
    bridge, addresses = f"fa{os.getpid()}", {name: f"{SUBNET}.{number}" for number, name in enumerate(names, 2)}
    with ExitStack() as ends:
        ip("link", "add", bridge, "type", "bridge")
        ends.callback(ip, "link", "delete", bridge)
        ip("address", "add", f"{SUBNET}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for number, (name, address) in enumerate(addresses.items()):
            space, cable = space_of(name), f"fa{os.getpid()}-{number}"
            ip("netns", "add", space)
            ends.callback(ip, "netns", "delete", space)
            ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", cable, "master", bridge, "up")
            ip("-n", space, "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip("-n", space, "link", "set", device, "up")
        yield addresses


def space_of(name: str) -> str:
    """The namespace of a machine."""
    return f"fedaid-{os.getpid()}-{name}"


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Runs this thread, and the processes that it starts, on a machine.

    Raises:
        OSError: if the kernel refuses it.
    """
    library = ctypes.CDLL(None, use_errno=True)

    def enter(file: int) -> None:
        if library.setns(file, NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"the namespace of {name} cannot be entered")

    with Path("/proc/thread-self/ns/net").open() as here, Path(f"/run/netns/{space_of(name)}").open() as there:
        enter(there.fileno())
        try:
            yield
        finally:
            enter(here.fileno())
