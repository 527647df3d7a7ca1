"""The trained generator, loaded from generator.safetensors: draws bags from seeds or latents."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gan import networks
from gan.errors import UserError
from gan.files import write_atomically
from gan.folding import folded
from gan.seeds import checked, derived

ARCHITECTURE = "bag-dreams-2"
"""Names the network below; it changes whenever old weights would no longer draw the same."""

Z = Literal["normal", "uniform"]

_GROUPS = (32, 8, 2, 1)
"""Pictures drawn at once, where they come out as they do in pairs: large groups are two to three times as
fast, and torch computes small convolutions of a lone picture in another way.
"""


class GeneratorError(UserError):
    """A generator file that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Shape:
    """What of a generator is not in its weights: the same weights under another shape draw noise."""

    z_size: int
    z: Z
    channels: int
    image_size: int
    upsampling: networks.Upsampling = "transposed"
    attention: bool = False
    blocks: int = 0

    def network(self) -> networks.Generator:
        """An untrained network of this shape."""
        return networks.Generator(
            self.z_size,
            self.channels,
            self.image_size,
            self.upsampling,
            blocks=self.blocks,
            attention=self.attention,
        )


class Generator:
    """Draws pictures on the CPU in float32: a latent gives the same bytes, whatever it is drawn with."""

    def __init__(self, network: networks.Generator, shape: Shape, epoch: int, version: str) -> None:
        self._network = folded(network)
        self._alike: dict[tuple[int, int], bool] = {}
        self.shape = shape
        self.epoch = epoch
        """Whole epochs it was trained for."""
        self.version = version
        """Six characters that name the weights; the first is a letter."""

    @property
    def z_size(self) -> int:
        return self.shape.z_size

    @property
    def image_size(self) -> int:
        """Pixels along a side."""
        return self.shape.image_size

    def latents(self, seeds: Sequence[int], mean: float = 0.0, spread: float = 1.0) -> Tensor:
        """The seeds' latents, float [n, z]. Raises SeedError for a seed out of range.

        `spread` below 1 gives more usual bags, above 1 odder ones: the truncation trick of Brock et al. 2019
        (arXiv:1809.11096). `mean` moves all of them away from the usual one, together.
        """
        return torch.stack([latent(seed, self.shape) for seed in seeds]) * spread + mean

    def children(self, a: Tensor, b: Tensor, seeds: Sequence[int], mutation: float = 0.1) -> Tensor:
        """Latents float [n, z], a child of the latents a and b [z] for every seed.

        Each of a child's numbers is one parent's, or with the probability `mutation` in [0, 1] a new one: so
        children are spread as all latents are, whatever their distribution. Variations of a bag are its
        children with itself. Raises SeedError for a seed out of range.
        """
        return torch.stack([_child(a, b, checked(seed), mutation, self.shape) for seed in seeds])

    @torch.inference_mode()
    def draw(self, latents: Tensor) -> NDArray[np.uint8]:
        """Latents float [n, z] → RGB pictures uint8 [n, S, S, 3]."""
        pictures: list[Tensor] = []
        left = latents[:, :, None, None]
        while len(left):
            size = next((each for each in _GROUPS if each <= len(left) and self._drawn_alike(each)), 0)
            if size:
                pictures.append(self._network(left[:size]))
            else:  # the last one, beside itself
                pictures.append(self._network(torch.cat([left, left]))[:1])
            left = left[max(size, 1) :]
        return to_images(torch.cat(pictures)).numpy()

    def _drawn_alike(self, size: int) -> bool:
        """Whether this machine draws the same bits in such groups as in pairs: kernels may differ."""
        key = (size, torch.get_num_threads())
        if key not in self._alike:
            latents = self.latents(range(max(size, 2)))[:, :, None, None]
            grouped, paired = (
                torch.cat([self._network(some) for some in torch.split(latents, each)]) for each in (size, 2)
            )
            self._alike[key] = torch.equal(grouped, paired)
        return self._alike[key]


def latent(seed: int, shape: Shape) -> Tensor:
    """The latent float [z] that a seed names: drawn on the CPU, so the same on every device."""
    source = torch.Generator().manual_seed(checked(seed))
    return noise(1, shape, source)[0]


def _child(a: Tensor, b: Tensor, seed: int, mutation: float, shape: Shape) -> Tensor:
    # Not the source of the bag of that seed, or a child would inherit from a stranger.
    source = torch.Generator().manual_seed(derived(seed, "child"))
    new = noise(1, shape, source)[0]
    from_a, mutated = torch.rand(2, shape.z_size, generator=source)
    return torch.where(mutated < mutation, new, torch.where(from_a < 0.5, a, b))


def noise(count: int, shape: Shape, source: torch.Generator) -> Tensor:
    """Latents float [count, z] as the generator is trained on: N(0, 1), or uniform in [−1, 1].

    They are drawn from `source`, on its device.
    """
    if shape.z == "uniform":
        return torch.rand(count, shape.z_size, generator=source, device=source.device) * 2 - 1
    return torch.randn(count, shape.z_size, generator=source, device=source.device)


def to_images(pictures: Tensor) -> Tensor:
    """Float [n, 3, S, S] in [−1, 1] → uint8 [n, S, S, 3] on the CPU, rounded."""
    scaled = (pictures.float() + 1).mul_(127.5).round_().clamp_(0, 255)
    return scaled.permute(0, 2, 3, 1).to("cpu", torch.uint8).contiguous()


def version_of(weights: dict[str, Tensor]) -> str:
    """Six characters [a-z][a-z0-9]{5} from the SHA-256 of the weights.

    A code holds for ever, so two generators must not share a name: among 1,000 the chance is 1 in 3,000.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().numpy().tobytes())
    number = int.from_bytes(digest.digest(), "big")
    letters = "abcdefghijklmnopqrstuvwxyz"
    number, first = divmod(number, len(letters))
    name = letters[first]
    for _ in range(5):
        number, index = divmod(number, 36)
        name += (letters + "0123456789")[index]
    return name


def save_generator(path: Path, network: networks.Generator, shape: Shape, epoch: int, dataset: str) -> str:
    """Write the weights with all that is needed to draw from them, atomically; returns their version."""
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    version = version_of(weights)
    about = {
        "architecture": ARCHITECTURE,
        "shape": asdict(shape),
        "epoch": epoch,
        "dataset": dataset,
        "version": version,
    }
    write_atomically(path, save(weights, {"bag-dreams": json.dumps(about)}))
    return version


def load(path: Path) -> Generator:
    """The generator in the file `path`. Raises GeneratorError, in one line, if it is missing or not whole."""
    try:
        with safe_open(path, "pt") as file:
            about = (file.metadata() or {}).get("bag-dreams")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except FileNotFoundError as error:
        raise GeneratorError(f"no generator at {path}: train one first") from error
    except (OSError, SafetensorError) as error:
        raise GeneratorError(f"{path} is no generator, or is truncated ({error})") from error
    if about is None:
        raise GeneratorError(f"{path} is no generator of this program: it does not say how it was built")
    try:
        said = json.loads(about)
        if said["architecture"] != ARCHITECTURE:
            raise GeneratorError(f"{path} has architecture {said['architecture']}, not {ARCHITECTURE}")
        shape = Shape(**said["shape"])
        with torch.device("meta"):  # all its weights come from the file: it needs none to begin with
            network = shape.network()
        network.load_state_dict(weights, assign=True)
        return Generator(network, shape, said["epoch"], said["version"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise GeneratorError(f"{path} does not hold what it says it holds") from error
