"""Generator and discriminator with their optimizers: one training step of the two."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from gan import augment, averaging, networks, word_inputs
from gan.distributed import World
from gan.generator import Shape
from gan.losses import LOSSES, gradient_penalty
from gan.presets import Recipe
from gan.words import Vocabulary


class Adversaries:
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
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """`recipe.channels` must be set. `seed` determines the initial weights; `bf16` turns autocast on."""
        self.recipe = recipe
        self.shape = shape
        self.vocabulary = vocabulary
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
                words=shape.words,
            )
            networks.initialize(self.generator, "dcgan")
            networks.initialize(self.discriminator, recipe.init)
        for network in (self.generator, self.discriminator):
            network.to(device).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self._ddp_generator, self._ddp_discriminator = map(world.ddp, (self.generator, self.discriminator))
        betas = (recipe.beta1, recipe.beta2)
        fused = device.type != "mps"
        # Kingma & Ba 2015 (arXiv:1412.6980)
        self.optimizer_g, self.optimizer_d = (
            torch.optim.Adam(network.parameters(), rate, betas, fused=fused)
            for network, rate in ((self.generator, recipe.rate_g), (self.discriminator, recipe.rate_d))
        )

    def step(
        self,
        real: Tensor,
        numbers: Tensor,
        latents: Tensor,
        source: torch.Generator,
        *,
        step: int,
        rate: float,
        strength: float = 1,
    ) -> Tensor:
        """One step of both networks; returns their losses, float [3] (D, G, and D's on the words of real
        pictures, 0 without words), on the device.

        `real` float [n, 3, S, S] in [−1, 1]; `numbers` int [n, F] are its words, see `word_inputs`;
        `latents` float [n, z + w], the words those that the networks are told of `real`; `step` is the number
        of steps taken before; `rate` in [0, 1] scales both learning rates; `strength` in [0, 1] is the
        probability of each augmentation, drawn from `source`.
        """
        words = latents[:, self.shape.z_size :]
        penalize = self.recipe.gamma > 0 and step % self.recipe.penalty_every == 0
        loss_d, loss_g = LOSSES[self.recipe.loss]
        _set_rate(self.optimizer_d, self.recipe.rate_d * rate)
        _set_rate(self.optimizer_g, self.recipe.rate_g * rate)

        with self._autocast():
            dreamed = self._ddp_generator(latents)  # once for both steps: D gets it detached

        def seen(pictures: Tensor) -> Tensor:
            return augment.differentiable(pictures, self.recipe.augment, strength, source)

        real, fake = seen(real), seen(dreamed.detach().float())
        real.requires_grad_(penalize)
        fake.requires_grad_(penalize)
        on_real, on_fake, scores = self._judge_both(real, fake, words)
        d = loss = loss_d(on_real, on_fake)
        if penalize:
            penalty = gradient_penalty(on_real, real) + gradient_penalty(on_fake, fake)
            loss = d + self.recipe.gamma * self.recipe.penalty_every * penalty
        on_words = torch.zeros_like(d)
        if self.vocabulary:
            on_words = word_inputs.mistakes(scores, numbers, self.vocabulary.sizes)
            loss = loss + self.recipe.words * on_words
        self.optimizer_d.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer_d.step()

        self.discriminator.requires_grad_(False)  # G's gradients pass through D; D needs none
        with torch.no_grad():
            on_real = self._judge(real, words)[0] if self.recipe.loss == "relativistic" else on_real.detach()
        g = loss_g(on_real, self._judge(seen(dreamed.float()), words)[0])
        self.optimizer_g.zero_grad()
        g.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.optimizer_g.step()
        self.discriminator.requires_grad_(True)

        if self.recipe.ema:
            averaging.update(self.average, self.generator, self.recipe.ema, step)
        return torch.stack([d, g, on_words]).detach()

    def drawing(self) -> networks.Generator:
        """A copy of the averaged generator on the CPU, ready to draw."""
        network = self.average if self.recipe.ema else self.generator
        return averaging.ready_to_draw(network, self.shape, self.device, self.vocabulary)

    def finite(self) -> Tensor:
        """Whether all weights of both networks are finite: bool [], on the device."""
        weights: list[Tensor] = [*self.generator.parameters(), *self.discriminator.parameters()]
        return torch.stack(torch._foreach_norm(weights)).isfinite().all()

    def state(self) -> dict[str, object]:
        """Everything `restore` needs to continue from here, bit for bit."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def restore(self, state: dict[str, dict[str, Any]]) -> None:
        """Take over a `state`. Raises KeyError, ValueError or RuntimeError if recipe or shape differ."""
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

    def _judge(self, pictures: Tensor, words: Tensor, *, learning: bool = False) -> tuple[Tensor, Tensor]:
        # Only where D learns do the processes have to average its gradients.
        with self._autocast():
            network = self._ddp_discriminator if learning else self.discriminator
            logits, scores = network(pictures, words)
        return logits.float(), scores.float()

    def _judge_both(self, real: Tensor, fake: Tensor, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Under batch norm a picture's logit depends on its batch, so real and dreamed pictures go in apart.
        if self.recipe.norm == "batch":
            on_real, scores = self._judge(real, words, learning=True)
            return on_real, self._judge(fake, words, learning=True)[0], scores
        logits, scores = self._judge(torch.cat([real, fake]), torch.cat([words, words]), learning=True)
        on_real, on_fake = logits.chunk(2)
        return on_real, on_fake, scores[: len(real)]


def shape_of(recipe: Recipe, image_size: int, vocabulary: Vocabulary | None = None) -> Shape:
    """The part of a recipe and a vocabulary that a generator's file records."""
    return Shape(
        recipe.z_size,
        recipe.z,
        recipe.channels,
        image_size,
        recipe.upsampling,
        recipe.attention,
        recipe.blocks,
        sum(vocabulary.sizes) if vocabulary else 0,
    )


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
