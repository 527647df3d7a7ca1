"""The processes that train one run together, under `torchrun`; one process by itself is a world of one."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gan.errors import UserError

T = TypeVar("T")


class WorldError(UserError):
    """The processes of a run cannot work together; the message is one line."""


@dataclass(frozen=True)
class World:
    """The place of a process: the `rank`-th of `size`. Each takes every size-th picture of a global batch."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Its number on its own host, which chooses its GPU."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """The process's part of a global batch [n, …]."""
        return batch[self.rank :: self.size]

    def agreed(self, *values: float) -> list[float]:
        """The greatest of what the processes say, value by value: the same in all of them."""
        if self.size == 1:
            return list(values)
        found = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return found.tolist()

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes, on the CPU."""
        found = values.detach().cpu().double()
        if self.size > 1:
            distributed.all_reduce(found)
            found /= self.size
        return found

    def from_first(self, make: Callable[[], T]) -> T:
        """What `make` gives in the first process, in all of them. Where it fails there, all fail."""
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
        return box[0]  # type: ignore[return-value]  # the first process's T

    def synchronized(self, network: nn.Module) -> nn.Module:
        """The network, its gradients averaged over all processes after every backward pass."""
        if self.size == 1:
            return network
        # Each keeps the batch statistics of its own share; drawing takes them anew anyway.
        return DistributedDataParallel(network, broadcast_buffers=False)

    def leave(self) -> None:
        """Take leave of the other processes."""
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()


def join() -> World:
    """The world that torchrun's environment variables tell of, else a world of one."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return World()
    world = World(
        int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), int(os.environ.get("LOCAL_RANK", "0"))
    )
    if world.size > 1:
        # Decisions go by gloo, which waits for no GPU; gradients on CUDA by nccl.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend)
    return world


def batch_share(batch: int, world: World) -> int:
    """Pictures of a global batch for each process. Raises WorldError if they cannot be shared evenly."""
    if batch % world.size:
        raise WorldError(f"a batch of {batch} cannot be shared by {world.size} processes: set recipe.batch")
    return batch // world.size
