"""Machines of Ray: this one, or those of a cluster."""

import logging
import os
import socket
import warnings
from typing import Any, NamedTuple

import ray


class Cluster(NamedTuple):
    """Where trials run, and on what.

    address: of the cluster, HOST:PORT; None makes one of this machine, which ends with this process.
    num_trials: at a time, None for as many as there is room for. num_cpus, num_gpus: of a trial.
    """

    address: str | None
    num_trials: int | None
    num_cpus: int
    num_gpus: float

    def connect(self) -> None:
        """Connects to Ray.

        Raises:
          ValueError: none answers or starts, or no machine has what a trial needs.
        """
        if self.address is not None:
            _reach(self.address)
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if self.address is None:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
            # What passes through the object store is small, and its default does not fit into a small /dev/shm.
            options |= {"num_cpus": cores, "include_dashboard": False, "object_store_memory": 200 * 2**20}
        try:
            with warnings.catch_warnings():
                # JAX warns of forks beside its threads; those of Ray only become another program.
                warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
                ray.init(self.address or "local", **options)
        except Exception as error:  # of any kind
            reason = " ".join(str(error).split()) or type(error).__name__
            where = f"answers at address {self.address}" if self.address else "starts on this machine"
            raise ValueError(f"no Ray {where}: {reason}") from error
        self._check_room()

    def _check_room(self) -> None:
        """Tune would wait for ever for what no machine has."""
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        room = sorted({(machine.get("CPU", 0), machine.get("GPU", 0)) for machine in machines}, reverse=True)
        if not any(cpus >= self.num_cpus and gpus >= self.num_gpus for cpus, gpus in room):
            there = "; ".join(f"{cpus:g} CPUs and {gpus:g} GPUs" for cpus, gpus in room)
            raise ValueError(
                f"cpus and gpus of a trial must fit on one machine, got {self.num_cpus} and {self.num_gpus:g}; "
                f"machines have {there}"
            )


def _reach(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError(f"address must be HOST:PORT, got {address!r}")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise ValueError(f"no Ray answers at address {address}: {error.strerror or error}") from error
