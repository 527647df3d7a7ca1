"""The device to train on, its threads, and whether bfloat16 is faster there."""

import os
import time

import torch

from gan.errors import UserError
from gan.networks import Discriminator


class DeviceError(UserError):
    """A device that this machine does not have; the message is one line."""


def choose(name: str, number: int = 0) -> torch.device:
    """The device of that name (`auto`: CUDA, else MPS, else the CPU); `number` selects one of several GPUs.

    Raises DeviceError if this machine does not have it.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, found in available.items() if found)
    if not available[name]:
        raise DeviceError(f"this machine has no {name} device: use auto or cpu")
    if name == "cuda":
        torch.cuda.set_device(number)
        torch.backends.cudnn.benchmark = True  # all batches have the same shape
        return torch.device(name, number)
    return torch.device(name)


def use_threads(count: int) -> None:
    """Let torch use that many CPU threads; 0: all cores but one, which is left to the bot."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(count or max(1, cores - 1))


def precision(name: str, device: torch.device) -> str:
    """`bf16` or `fp32`; `auto`: bf16 on a GPU that computes it natively, or on a CPU where it is faster."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    if device.type == "mps":
        return "fp32"
    # A CPU without bfloat16 instructions emulates them, many times slower; no public call tells them apart.
    return "bf16" if _seconds(bf16=True) < 0.9 * _seconds(bf16=False) else "fp32"


def width(channels: int, device: torch.device) -> int:
    """The recipe's `channels`, or the default for the device if that is 0: 128 on a CPU, else 512."""
    return channels or (128 if device.type == "cpu" else 512)


def _seconds(*, bf16: bool) -> float:
    """CPU seconds of the fastest of six forward and backward passes through a small discriminator."""
    network = Discriminator(128, 64, "none").to(memory_format=torch.channels_last)
    pictures = torch.zeros(16, 3, 64, 64).to(memory_format=torch.channels_last)
    taken = []
    for _ in range(6):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits, _ = network(pictures, pictures.new_empty(16, 0))
        logits.float().sum().backward()
        taken.append(time.process_time() - start)
    return min(taken)
