"""The processes that train one run together under `torchrun`; a process by itself is a world of size 1."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gan.errors import UserError

T = TypeVar("T")


class DistributedError(UserError):
    """The processes of a run cannot train together; the message is one line."""


@dataclass(frozen=True)
class World:
    """The place of this process in torch.distributed's world.

    Of a global batch, each process takes every `size`-th picture.
    """

    rank: int = 0
    """From 0 to `size` − 1."""
    size: int = 1
    """Number of processes."""
    local_rank: int = 0
    """The rank on this host, which selects the GPU."""

    @property
    def first(self) -> bool:
        """Whether this is rank 0, the only process that writes files and output."""
        return self.rank == 0

    def shard(self, batch: Tensor) -> Tensor:
        """The part [n / size, …] of a global batch [n, …] for this process."""
        return batch[self.rank :: self.size]

    def all_max(self, *values: float) -> list[float]:
        """The maximum of each value over all processes, the same in each of them."""
        if self.size == 1:
            return list(values)
        found = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return found.tolist()

    def all_mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over all processes: float64 of the same shape, on the CPU."""
        found = values.detach().cpu().double()
        if self.size > 1:
            distributed.all_reduce(found)
            found /= self.size
        return found

    def broadcast(self, make: Callable[[], T]) -> T:
        """Call `make` in rank 0 and return its result in every process.

        If it raises UserError there, rank 0 raises that error and the others exit with code 2.
        """
        if self.size == 1:
            return make()
        box: list[object] = [None, None]
        if self.first:
            try:
                box[0] = make()
            except UserError as error:
                box[1] = error
        distributed.broadcast_object_list(box)
        if isinstance(box[1], UserError):
            raise box[1] if self.first else SystemExit(2)
        return box[0]  # type: ignore[return-value]  # rank 0's T

    def ddp(self, network: nn.Module) -> nn.Module:
        """The network with its gradients averaged over all processes after every backward pass."""
        if self.size == 1:
            return network
        # Each process keeps the batch statistics of its own shard; drawing recomputes them anyway.
        return DistributedDataParallel(network, broadcast_buffers=False)

    def leave(self) -> None:
        """Leave the process group."""
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()

    def check_batch(self, batch: int) -> None:
        """Raise DistributedError unless a global batch of that many pictures splits evenly."""
        if batch % self.size:
            raise DistributedError(
                f"a batch of {batch} cannot be split evenly over {self.size} processes: set recipe.batch"
            )


def join() -> World:
    """Join the process group that torchrun's environment variables describe; without them, a world of 1."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return World()
    world = World(
        int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ.get("LOCAL_RANK", "0"))
    )
    if world.size > 1:
        # Decisions travel by gloo, which does not wait for the GPU; CUDA gradients by nccl.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend)
    return world
