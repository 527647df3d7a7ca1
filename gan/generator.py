"""The trained generator, loaded from generator.safetensors: draws bags from latents."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gan import networks
from gan.atomic import write_atomically
from gan.folding import folded
from gan.header import ARCHITECTURE, GeneratorError, read_header, wrong_header
from gan.seeds import checked, derived
from gan.words import Vocabulary, WordError

Z = Literal["normal", "uniform"]
"""Distribution of latents; see `noise`."""

_TYPES = {torch.float32: "F32", torch.int64: "I64"}

_GROUPS = (32, 8, 2, 1)
"""Pictures drawn at once, if that gives the same bits as drawing in pairs: large groups are two to three
times as fast, but kernels may differ. In pairs, since torch computes those of a lone picture differently.
"""


def _possible_size(pixels: int) -> int:
    if pixels not in networks.SIZES:
        raise ValueError(f"must be one of {', '.join(map(str, networks.SIZES))}")
    return pixels


@dataclass(frozen=True)
class Shape:
    """What a generator's weights do not say: the same weights in another shape draw noise.

    The ranges, those of `Recipe`, are of what a file may say.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", strict=True)

    z_size: Annotated[int, Field(ge=1, le=4096)]
    """Numbers in a latent."""
    z: Z
    channels: Annotated[int, Field(ge=1, le=4096)]
    """Of the 4×4 stage."""
    image_size: Annotated[int, AfterValidator(_possible_size)]
    """Pixels along a side."""
    upsampling: networks.Upsampling = "transposed"
    attention: bool = False
    blocks: Annotated[int, Field(ge=0, le=8)] = 0
    """Residual blocks per stage."""
    words: Annotated[int, Field(ge=0, le=1600)] = 0
    """Inputs beside the latent: one for each word of the vocabulary."""

    def network(self) -> networks.Generator:
        """A new network of this shape, with torch's default weights."""
        return networks.Generator(
            self.z_size + self.words,
            self.channels,
            self.image_size,
            self.upsampling,
            blocks=self.blocks,
            attention=self.attention,
        )


_shapes = TypeAdapter(Shape)


class Generator:
    """Draws pictures on the CPU in float32; a latent gives the same bytes whatever else is drawn with it.

    A latent is float [z + w]: z random numbers, then the inputs of w words, 0 or 1, or between those on the
    way from bag to bag. Without a vocabulary w is 0.
    """

    def __init__(
        self,
        network: networks.Generator,
        shape: Shape,
        epoch: int,
        version: str,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self._network = folded(network)
        self._same_bits: dict[tuple[int, int], bool] = {}
        self.shape = shape
        self.epoch = epoch
        """Whole epochs trained."""
        self.version = version
        """Six characters that name the weights; the first is a letter."""
        self.vocabulary = vocabulary

    @property
    def z_size(self) -> int:
        """Random numbers in a latent."""
        return self.shape.z_size

    @property
    def image_size(self) -> int:
        """Pixels along a side."""
        return self.shape.image_size

    def latents(self, seeds: Sequence[int], words: Sequence[str] = ()) -> Tensor:
        """The seeds' latents, float [n, z + w]; what the words don't speak of, each seed fills in.

        Raises SeedError for a seed out of range, and WordError for words that it can't draw.
        """
        if self.vocabulary is None:
            if words:
                raise WordError("this generator knows no words")
            return torch.stack([latent(seed, self.shape) for seed in seeds])
        vocabulary = self.vocabulary
        inputs = [vocabulary.inputs(vocabulary.filled(checked(seed), words)) for seed in seeds]
        return torch.stack(
            [
                torch.cat([latent(seed, self.shape), torch.tensor(each)])
                for seed, each in zip(seeds, inputs, strict=True)
            ]
        )

    def words(self, latent: Tensor) -> tuple[str, ...]:
        """The words that a latent float [z + w] was made with; on the way between bags, the nearer one's."""
        return self.vocabulary.told(latent[self.z_size :].tolist()) if self.vocabulary else ()

    def children(self, a: Tensor, b: Tensor, seeds: Sequence[int], mutation: float = 0.1) -> Tensor:
        """Latents float [n, z + w]: one child of the latents a and b, float [z + w], per seed.

        Each of a child's numbers comes from one parent or, with probability `mutation` in [0, 1], is new: so
        children have the distribution of all latents, whatever that is. Each facet's word comes whole from
        one parent. A bag bred with itself gives variations of it. Raises SeedError for a seed out of range.
        """
        sizes = [len(facet.words) for facet in self.vocabulary.facets] if self.vocabulary else []
        return torch.stack([_child(a, b, checked(seed), mutation, self.shape, sizes) for seed in seeds])

    def is_finite(self) -> bool:
        """Whether all weights are finite numbers, also with the batch norms folded in."""
        return all(bool(weights.isfinite().all()) for weights in self._network.state_dict().values())

    @torch.inference_mode()
    def draw(self, latents: Tensor) -> NDArray[np.uint8]:
        """Latents float [n, z + w] → RGB pictures uint8 [n, S, S, 3]."""
        pictures: list[Tensor] = []
        left = latents[:, :, None, None]
        while len(left):
            size = next((each for each in _GROUPS if each <= len(left) and self._draws_same_bits(each)), 0)
            if size:
                pictures.append(self._network(left[:size]))
            else:  # the last one, in a pair with itself
                pictures.append(self._network(torch.cat([left, left]))[:1])
            left = left[max(size, 1) :]
        return to_images(torch.cat(pictures)).numpy()

    def pictures(self, latents: Tensor) -> Tensor:
        """Latents float [n, z + w] → pictures float [n, 3, S, S] in [−1, 1], through which gradients flow.

        What `draw` gives is exact: here the last bits depend on what is drawn together.
        """
        pictures: Tensor = self._network(latents[:, :, None, None])
        return pictures

    def _draws_same_bits(self, size: int) -> bool:
        """Whether this machine draws the same bits in groups of that size as in pairs."""
        key = (size, torch.get_num_threads())
        if key not in self._same_bits:
            latents = self.latents(range(max(size, 2)))[:, :, None, None]
            grouped, paired = (
                torch.cat([self._network(some) for some in torch.split(latents, each)]) for each in (size, 2)
            )
            self._same_bits[key] = torch.equal(grouped, paired)
        return self._same_bits[key]


def latent(seed: int, shape: Shape) -> Tensor:
    """A seed's latent, float [z]: drawn on the CPU, so the same on every device. Raises SeedError."""
    source = torch.Generator().manual_seed(checked(seed))
    return noise(1, shape, source)[0]


def _child(a: Tensor, b: Tensor, seed: int, mutation: float, shape: Shape, facets: Sequence[int]) -> Tensor:
    # Derived, or the child would inherit from the bag of that seed.
    source = torch.Generator().manual_seed(derived(seed, "child"))
    new = noise(1, shape, source)[0]
    from_a, mutated = torch.rand(2, shape.z_size, generator=source)
    (z_a, *words_a), (z_b, *words_b) = (torch.split(parent, [shape.z_size, *facets]) for parent in (a, b))
    numbers = torch.where(mutated < mutation, new, torch.where(from_a < 0.5, z_a, z_b))
    sides = torch.rand(len(facets), generator=source).tolist()
    words = [one if side < 0.5 else other for one, other, side in zip(words_a, words_b, sides, strict=True)]
    return torch.cat([numbers, *words])


def noise(count: int, shape: Shape, source: torch.Generator) -> Tensor:
    """Random latents float [count, z] from `source`, on its device: N(0, 1) or uniform in [−1, 1]."""
    if shape.z == "uniform":
        return torch.rand(count, shape.z_size, generator=source, device=source.device) * 2 - 1
    return torch.randn(count, shape.z_size, generator=source, device=source.device)


def to_images(pictures: Tensor) -> Tensor:
    """Float [n, 3, S, S] in [−1, 1] → uint8 [n, S, S, 3] on the CPU, rounded."""
    scaled = (pictures.float() + 1).mul_(127.5).round_().clamp_(0, 255)
    return scaled.permute(0, 2, 3, 1).to("cpu", torch.uint8).contiguous()


def version_of(weights: dict[str, Tensor]) -> str:
    """Six characters [a-z][a-z0-9]{5} from the SHA-256 of the weights.

    Codes are permanent, so two generators must not share a version: among 1,000 the chance is 1 in 3,000.
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


def save_generator(
    path: Path,
    network: networks.Generator,
    shape: Shape,
    epoch: int,
    dataset: str,
    vocabulary: Vocabulary | None = None,
) -> str:
    """Write the weights, and all that drawing with them needs, atomically; returns their version.

    `epoch` is the number of epochs trained, `dataset` the content hash. Raises OSError.
    """
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    version = version_of(weights)
    about: dict[str, object] = {
        "architecture": ARCHITECTURE,
        "shape": asdict(shape),
        "epoch": epoch,
        "dataset": dataset,
        "version": version,
    }
    if vocabulary is not None:
        about["vocabulary"] = vocabulary.model_dump()
    write_atomically(path, save(weights, {"bag-dreams": json.dumps(about)}))
    return version


def load(path: Path) -> Generator:
    """Load the generator in the file `path`.

    Raises GeneratorError if it is missing, truncated, foreign, or if its weights are not what its header
    says, or not finite. The header is checked before any memory is taken for weights.
    """
    header = read_header(path)
    try:
        shape = _shapes.validate_json(json.dumps(header.shape))
    except ValidationError as error:
        raise wrong_header(path, error) from error
    if shape.words != (len(header.vocabulary.words) if header.vocabulary else 0):
        raise GeneratorError(f"{path} has a wrong header: its vocabulary does not fit its shape")
    with torch.device("meta"):  # without weights: they all come from the file
        network = shape.network()
    try:
        weights = _weights(path, network.state_dict())
        network.load_state_dict(weights, assign=True)
        generator = Generator(network, shape, header.epoch, header.version, header.vocabulary)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise GeneratorError(f"{path} does not contain what its metadata says") from error
    # A version is for ever: codes with it must not draw the bags of another generator.
    if version_of(weights) != header.version:
        raise GeneratorError(f"{path} is not the generator {header.version}, as it says")
    if not generator.is_finite():
        raise GeneratorError(f"{path} has weights that are not finite numbers")
    return generator


def _weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """A file's weights, if they have the names, shapes and types of those on the meta device."""
    with safe_open(path, "pt") as file:
        parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  # not a dict
        found = {name: (part.get_dtype(), part.get_shape()) for name, part in parts.items()}
        if found != {name: (_TYPES[like.dtype], list(like.shape)) for name, like in expected.items()}:
            raise GeneratorError(f"{path} does not contain what its metadata says")
        return {name: file.get_tensor(name) for name in expected}
