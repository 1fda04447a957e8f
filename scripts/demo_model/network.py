"""The network: a llama of a few layers in JAX, and its optimiser. Nothing here knows what it is taught."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.layout import Layout, with_layout_constraint

Weights = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    vocabulary: int = 1024
    width: int = 192
    layers: int = 4
    heads: int = 3  # of 64: better and faster than six of 32
    inner: int = 512
    epsilon: float = 1e-5
    rope_base: float = 10_000.0

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def fresh(shape: Shape, seed: int) -> Weights:
    """Random weights; what writes into the residual stream starts smaller, the deeper the network."""
    random = np.random.default_rng(seed)

    def normal(rows: int, columns: int, scale: float = 0.02) -> jax.Array:
        return jnp.asarray(random.normal(0, scale, (rows, columns)), jnp.float32)

    small = 0.02 / (2 * shape.layers) ** 0.5
    weights: Weights = {"token_embd": normal(shape.vocabulary, shape.width), "output_norm": jnp.ones(shape.width)}
    for layer in range(shape.layers):
        weights[f"blk.{layer}"] = {
            "attn_norm": jnp.ones(shape.width),
            "attn_q": normal(shape.width, shape.width),
            "attn_k": normal(shape.width, shape.width),
            "attn_v": normal(shape.width, shape.width),
            "attn_output": normal(shape.width, shape.width, small),
            "ffn_norm": jnp.ones(shape.width),
            "ffn_gate": normal(shape.width, shape.inner),
            "ffn_up": normal(shape.width, shape.inner),
            "ffn_down": normal(shape.inner, shape.width, small),
        }
    return weights


ROW_BY_ROW = Layout((0, 1))


def turned(x: jax.Array) -> jax.Array:
    """Its transpose, laid out anew: without that, a product with it takes four times as long."""
    return with_layout_constraint(x.astype(jnp.bfloat16).T, ROW_BY_ROW)


@jax.custom_vjp
def times(x: jax.Array, weight: jax.Array) -> jax.Array:
    """A product in bfloat16, summed in float32: three times as fast where the processor knows it, and no worse here."""
    half = jnp.bfloat16
    return jnp.matmul(x.astype(half), weight.astype(half), preferred_element_type=jnp.float32)


def times_forward(x: jax.Array, weight: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return times(x, weight), (x, weight)


def times_backward(kept: tuple[jax.Array, jax.Array], change: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, weight = kept
    flat = x.reshape(-1, x.shape[-1])
    return times(change, turned(weight)), times(turned(flat), change.reshape(-1, change.shape[-1]))


times.defvjp(times_forward, times_backward)


def normed(x: jax.Array, weight: jax.Array, epsilon: float) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def rotated(x: jax.Array, base: float) -> jax.Array:
    """RoPE over interleaved pairs (0,1), (2,3) …, which is how llama.cpp reads the llama architecture."""
    length, size = x.shape[1], x.shape[-1]
    angles = np.arange(length)[:, None] * base ** (-np.arange(0, size, 2) / size)[None, :]
    cosine, sine = jnp.asarray(np.cos(angles), x.dtype)[:, None], jnp.asarray(np.sin(angles), x.dtype)[:, None]
    even, odd = x[..., 0::2], x[..., 1::2]
    return jnp.stack([even * cosine - odd * sine, even * sine + odd * cosine], axis=-1).reshape(x.shape)


def attention(block: Weights, x: jax.Array, allowed: jax.Array, shape: Shape) -> jax.Array:
    rows, length, width = x.shape
    split = (rows, length, shape.heads, width // shape.heads)
    query = rotated(times(x, block["attn_q"]).reshape(split), shape.rope_base)
    key = rotated(times(x, block["attn_k"]).reshape(split), shape.rope_base)
    value = times(x, block["attn_v"]).reshape(split)
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / (width // shape.heads) ** 0.5
    shares = jax.nn.softmax(jnp.where(allowed[:, None], scores, -1e9), axis=-1)
    return times(jnp.einsum("bhqk,bkhd->bqhd", shares, value).reshape(x.shape), block["attn_output"])


def logits(weights: Weights, tokens: jax.Array, segments: jax.Array, shape: Shape) -> jax.Array:
    """A row holds several conversations, told apart by `segments`; none of them sees another."""
    length = tokens.shape[1]
    causal = np.tril(np.ones((length, length), bool))
    allowed = (segments[:, :, None] == segments[:, None, :]) & causal
    x = weights["token_embd"][tokens]
    for layer in range(shape.layers):
        block = weights[f"blk.{layer}"]
        x = x + attention(block, normed(x, block["attn_norm"], shape.epsilon), allowed, shape)
        inside = normed(x, block["ffn_norm"], shape.epsilon)
        gate = jax.nn.silu(times(inside, block["ffn_gate"]))
        x = x + times(gate * times(inside, block["ffn_up"]), block["ffn_down"])
    return times(normed(x, weights["output_norm"], shape.epsilon), turned(weights["token_embd"]))


def loss(weights: Weights, tokens: jax.Array, segments: jax.Array, counts: jax.Array, shape: Shape) -> jax.Array:
    """Mean surprise at the tokens that count: those of the answers."""
    scores = jax.nn.log_softmax(logits(weights, tokens, segments, shape)[:, :-1])
    surprise = -jnp.take_along_axis(scores, tokens[:, 1:, None], axis=-1)[..., 0]
    wanted = counts[:, 1:]
    return jnp.sum(surprise * wanted) / jnp.maximum(jnp.sum(wanted), 1)


@partial(jax.jit, static_argnums=(4,), donate_argnums=(0, 1))
def step(
    weights: Weights,
    moments: tuple[Weights, Weights],
    batch: tuple[jax.Array, ...],
    pace: tuple[float, float, float],
    shape: Shape,
) -> tuple[Weights, tuple[Weights, Weights], jax.Array]:
    """One step of AdamW, its gradient clipped to length 1. `pace` is rate, number of the step, and decay."""
    rate, count, decay = pace
    value, gradient = jax.value_and_grad(loss)(weights, *batch, shape)
    length = jnp.sqrt(sum(jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(gradient)))
    gradient = jax.tree.map(lambda leaf: leaf * jnp.minimum(1.0, 1.0 / (length + 1e-6)), gradient)
    first = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, moments[0], gradient)
    second = jax.tree.map(lambda old, new: 0.98 * old + 0.02 * new * new, moments[1], gradient)

    def moved(weight: jax.Array, mean: jax.Array, square: jax.Array) -> jax.Array:
        change = mean / (1 - 0.9**count) / (jnp.sqrt(square / (1 - 0.98**count)) + 1e-9)
        return weight - rate * (change + (decay * weight if weight.ndim > 1 else 0.0))

    return jax.tree.map(moved, weights, first, second), (first, second), value
