"""Generator and discriminator with their optimizers: one step of the game between them."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from gan import augment, networks
from gan.adam import Adam
from gan.distributed import World
from gan.generator import Shape, noise
from gan.losses import LOSSES, gradient_penalty
from gan.presets import Recipe

_RECALIBRATION = 8
"""Passes of 64 latents over which the averaged generator's batch statistics are taken anew."""


class Pair:
    """The two networks in training, and the moving average of the generator, which is the one that draws."""

    def __init__(
        self,
        recipe: Recipe,
        shape: Shape,
        device: torch.device,
        *,
        bf16: bool,
        seed: int,
        world: World,
    ) -> None:
        self.recipe = recipe
        self.shape = shape
        self.device = device
        self.bf16 = bf16
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = shape.network()
            self.discriminator = networks.Discriminator(
                shape.channels,
                shape.image_size,
                recipe.norm,
                attention=recipe.attention,
                statistics=recipe.statistics,
            )
            networks.initialize(self.generator, "dcgan")
            networks.initialize(self.discriminator, recipe.init)
        for network in (self.generator, self.discriminator):
            network.to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self._play, self._judgment = (
            world.synchronized(each) for each in (self.generator, self.discriminator)
        )
        betas = (recipe.beta1, recipe.beta2)
        fused = device.type != "mps"
        self.optimizer_g = Adam(self.generator.parameters(), recipe.rate_g, betas, fused=fused)
        self.optimizer_d = Adam(self.discriminator.parameters(), recipe.rate_d, betas, fused=fused)

    def step(
        self, real: Tensor, z: Tensor, source: torch.Generator, *, step: int, rate: float, strength: float = 1
    ) -> Tensor:
        """One step of both networks; returns their losses, float [2] (of D, of G), not yet synchronized.

        `real` float [n, 3, S, S] in [−1, 1]; `z` float [n, z]; `step` is the number of steps before;
        `rate` in [0, 1] scales both learning rates; `strength` in [0, 1] is that of the augmentation, drawn
        from `source`.
        """
        penalize = self.recipe.gamma > 0 and step % self.recipe.penalty_every == 0
        loss_d, loss_g = LOSSES[self.recipe.loss]
        _set_rate(self.optimizer_d, self.recipe.rate_d * rate)
        _set_rate(self.optimizer_g, self.recipe.rate_g * rate)

        with self._autocast():
            dreamed = self._play(z)  # once for both: D gets it cut off from G's graph

        def seen(pictures: Tensor) -> Tensor:
            return augment.differentiable(pictures, self.recipe.augment, strength, source)

        real, fake = seen(real), seen(dreamed.detach().float())
        real.requires_grad_(penalize)
        fake.requires_grad_(penalize)
        on_real, on_fake = self._judge_both(real, fake)
        d = loss = loss_d(on_real, on_fake)
        if penalize:
            penalty = gradient_penalty(on_real, real) + gradient_penalty(on_fake, fake)
            loss = d + self.recipe.gamma * self.recipe.penalty_every * penalty
        self.optimizer_d.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer_d.step()

        self.discriminator.requires_grad_(False)  # G's step needs the way through D, not D's own gradients
        with torch.no_grad():
            on_real = self._judge(real) if self.recipe.loss == "relativistic" else on_real.detach()
        g = loss_g(on_real, self._judge(seen(dreamed.float())))
        self.optimizer_g.zero_grad()
        g.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer_g.step()
        self.discriminator.requires_grad_(True)

        self._average(step)
        return torch.stack([d.detach(), g.detach()])

    def drawing(self) -> networks.Generator:
        """A copy, on the CPU, of the averaged generator with batch statistics of its own, ready to draw."""
        network = copy.deepcopy(self.average if self.recipe.ema else self.generator).requires_grad_(False)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over all the passes
        source = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for _ in range(_RECALIBRATION):
                network(noise(64, self.shape, source).to(self.device))
        for norm in norms:
            norm.momentum = 0.1
        network.cpu().to(memory_format=torch.contiguous_format)
        return network.eval()

    def finite(self) -> Tensor:
        """Whether all weights of both networks are numbers: bool []."""
        weights: list[Tensor] = [*self.generator.parameters(), *self.discriminator.parameters()]
        return torch.stack(torch._foreach_norm(weights)).isfinite().all()

    def state(self) -> dict[str, object]:
        """Everything `restore` needs to go on bit by bit where this pair is now."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def restore(self, state: dict[str, dict[str, Any]]) -> None:
        """Take up the state of a pair of the same recipe and shape."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.average,
            "optimizer_g": self.optimizer_g,
            "optimizer_d": self.optimizer_d,
        }

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def _judge(self, pictures: Tensor, *, learning: bool = False) -> Tensor:
        # Where D learns, its gradients are those of all processes.
        with self._autocast():
            logits: Tensor = (self._judgment if learning else self.discriminator)(pictures)
        return logits.float()

    def _judge_both(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        # With batch norm a picture is judged by its batch, so the real and the dreamed ones go in apart.
        if self.recipe.norm == "batch":
            return self._judge(real, learning=True), self._judge(fake, learning=True)
        on_real, on_fake = self._judge(torch.cat([real, fake]), learning=True).chunk(2)
        return on_real, on_fake

    @torch.no_grad()
    def _average(self, step: int) -> None:
        if not self.recipe.ema:
            return
        # At first over fewer steps, or the first grids would still show the weights it began with.
        decay = min(self.recipe.ema, (step + 1) / (step + 10))
        torch._foreach_lerp_(  # one pass over all weights instead of a call for each
            list(self.average.parameters()), list(self.generator.parameters()), 1 - decay
        )


def shape_of(recipe: Recipe, image_size: int) -> Shape:
    """What of a recipe belongs to the generator's file."""
    return Shape(
        recipe.z_size,
        recipe.z,
        recipe.channels,
        image_size,
        recipe.upsampling,
        recipe.attention,
        recipe.blocks,
    )


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
