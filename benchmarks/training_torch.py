"""The same step in PyTorch: networks, losses, R1, Adam and averaged weights."""

import pathlib
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from benchmarks import inputs, jpeg_torch
from benchmarks.jpeg_torch import facts
from benchmarks.processes import Tasks
from benchmarks.torch_networks import Critic, Generator
from benchmarks.training_tensorflow import CRITIC_WEIGHTS, FIGURES
from configs import default
from keras_jpeg_gan.models.cards import find_model

__all__ = ["facts", "prepare"]

_SIDE = inputs.PATCH // 2


def prepare(settings: inputs.Settings) -> Tasks:
    """The step on one batch, from the weights that the TensorFlow step starts from."""
    torch.set_num_threads(settings.threads)
    generator = Generator.from_weights(find_model(settings.model)[0])
    critic = Critic(inputs.CRITIC_WIDTH)
    critic.load(pathlib.Path(settings.scratch) / CRITIC_WEIGHTS)
    step = Step(generator, critic)
    batch = {name: torch.from_numpy(a) for name, a in inputs.training_batch(settings).items()}
    length = len(generator.body) * _SIDE**2
    drawn = inputs.MOMENT_SAMPLES * inputs.BATCH // inputs.MOMENT_IMAGES

    def checked() -> list[float]:
        figures = step(batch, *map(torch.from_numpy, inputs.training_noise(length)))
        return [figures[name] for name in FIGURES]

    def stepped() -> float:
        noise = torch.randn(inputs.BATCH, length), torch.randn(drawn, length)
        return step(batch, *noise)["generator"]

    return {"check": checked, "step": stepped}


class Step:
    """One step of the generator, then one of the critic on the same samples."""

    def __init__(self, generator: Generator, critic: Critic) -> None:
        self.generator, self.critic = generator, critic
        self.generator_weights = list(generator.parameters())
        self.critic_weights = list(critic.parameters())
        options: dict[str, Any] = {
            "lr": inputs.LEARNING_RATE, "betas": (0.0, 0.99), "eps": 1e-7, "fused": True,
        }  # fmt: skip
        self.optimizer = torch.optim.Adam(self.generator_weights, **options)
        self.critic_optimizer = torch.optim.Adam(self.critic_weights, **options)
        self.averages = [weight.detach().clone() for weight in self.generator_weights]
        self.config = default.get_config()

    def __call__(
        self, batch: dict[str, torch.Tensor], noise: torch.Tensor, moment_noise: torch.Tensor
    ) -> dict[str, float]:
        """Arguments as `keras_jpeg_gan.training.losses.generator_losses`; its figures and norms."""
        original, compressed = (
            (batch[name].float() / 255).permute(0, 3, 1, 2) for name in ("original", "compressed")
        )
        losses, fakes = self._generator_losses(
            original, compressed, batch["tables"], noise, moment_noise
        )
        losses |= self._critic_losses(original, fakes.detach())
        gradients = torch.autograd.grad(losses["generator"], self.generator_weights)
        critic_gradients = torch.autograd.grad(losses["critic"], self.critic_weights)
        losses["gradient"] = _descend(self.optimizer, self.generator_weights, gradients)
        losses["critic_gradient"] = _descend(
            self.critic_optimizer, self.critic_weights, critic_gradients
        )
        torch._foreach_lerp_(self.averages, self.generator_weights, 1 - inputs.EMA)
        return {name: value.item() for name, value in losses.items()}

    def _generator_losses(
        self,
        original: torch.Tensor,
        compressed: torch.Tensor,
        tables: torch.Tensor,
        noise: torch.Tensor,
        moment_noise: torch.Tensor,
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        count, every = inputs.MOMENT_SAMPLES, inputs.MOMENT_IMAGES
        image = torch.cat([compressed, compressed[::every].repeat(count, 1, 1, 1)])
        steps = torch.cat([tables, tables[::every].repeat(count, 1, 1, 1)])
        both = torch.cat([noise, moment_noise])
        fields = both.reshape(len(both), -1, 1, _SIDE, _SIDE).unbind(1)
        restored = self.generator(image, steps, fields)
        fakes, drawn = restored[: len(compressed)], restored[len(compressed) :]
        components = tables[:, 0], tables[:, 1], tables[:, 1]
        levels = jpeg_torch.compress(255 * original, components)
        penalty = jpeg_torch.penalty(255 * fakes, levels, components)
        mean = drawn.reshape(count, -1, *drawn.shape[1:]).mean(0)
        losses = {
            "consistency": penalty.mean(),
            "adversarial": functional.softplus(-self.critic(fakes)).mean(),
            "first_moment": functional.mse_loss(mean, original[::every]),
        }
        losses["generator"] = (
            inputs.CONSISTENCY * losses["consistency"]
            + self.config.adversarial_weight * losses["adversarial"]
            + self.config.first_moment_weight * losses["first_moment"]
        )
        return losses, fakes

    def _critic_losses(
        self, original: torch.Tensor, fakes: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        real = original.requires_grad_(True)
        logits = self.critic(real)
        (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        penalty = slope.square().flatten(1).sum(1).mean()
        on_real, on_fake = functional.softplus(-logits), functional.softplus(self.critic(fakes))
        loss = on_real.mean() + on_fake.mean() + self.config.r1_weight / 2 * penalty
        return {"critic": loss, "r1": penalty}


def _descend(
    optimizer: torch.optim.Optimizer,
    weights: Sequence[torch.Tensor],
    gradients: Sequence[torch.Tensor],
) -> torch.Tensor:
    """Apply gradients; their norm."""
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    optimizer.step()
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
