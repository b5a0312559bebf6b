"""Measures training steps of the preset small or base in PyTorch, to stand beside `bench train`.

The same network, on rows of random tokens: embedding tied to the head, grouped-query attention with
rotary positions, SwiGLU, RMS norm; cross entropy, gradients clipped at 1, AdamW. Prints a line for
each way that PyTorch has of doing it.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY = 6400
PRESETS = {"tiny": (128, 4, 4, 2), "small": (512, 8, 16, 8), "base": (768, 16, 16, 8)}


class Attention(nn.Module):
    explicit = False

    def __init__(self, hidden, heads, key_value_heads):
        super().__init__()
        self.heads, self.key_value_heads, self.size = heads, key_value_heads, hidden // heads
        self.query = nn.Linear(hidden, heads * self.size, bias=False)
        self.key = nn.Linear(hidden, key_value_heads * self.size, bias=False)
        self.value = nn.Linear(hidden, key_value_heads * self.size, bias=False)
        self.output = nn.Linear(heads * self.size, hidden, bias=False)

    def forward(self, x, cos, sin):
        rows, length, _ = x.shape
        query = self.query(x).view(rows, length, self.heads, self.size).transpose(1, 2)
        key = self.key(x).view(rows, length, self.key_value_heads, self.size).transpose(1, 2)
        value = self.value(x).view(rows, length, self.key_value_heads, self.size).transpose(1, 2)
        query, key = rotated(query, cos, sin), rotated(key, cos, sin)
        if self.explicit:
            key, value = (x.repeat_interleave(self.heads // self.key_value_heads, 1) for x in (key, value))
            mask = torch.full((length, length), float("-inf"), device=x.device).triu(1)
            scores = query @ key.transpose(2, 3) / self.size**0.5 + mask
            out = scores.float().softmax(-1).to(value.dtype) @ value
        else:
            out = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
        return self.output(out.transpose(1, 2).reshape(rows, length, -1))


def rotated(x, cos, sin):
    left, right = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-right, left), dim=-1) * sin


class Block(nn.Module):
    def __init__(self, hidden, heads, key_value_heads):
        super().__init__()
        inner = 64 * ((int(hidden * 8 / 3) + 63) // 64)
        self.attention_norm, self.feed_forward_norm = nn.RMSNorm(hidden), nn.RMSNorm(hidden)
        self.attention = Attention(hidden, heads, key_value_heads)
        self.gate = nn.Linear(hidden, inner, bias=False)
        self.up = nn.Linear(hidden, inner, bias=False)
        self.down = nn.Linear(inner, hidden, bias=False)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.attention_norm(x), cos, sin)
        y = self.feed_forward_norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Model(nn.Module):
    def __init__(self, hidden, layers, heads, key_value_heads, length):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, hidden)
        self.blocks = nn.ModuleList(Block(hidden, heads, key_value_heads) for _ in range(layers))
        self.norm = nn.RMSNorm(hidden)
        size = hidden // heads
        angle = torch.outer(torch.arange(length), 1e6 ** -(torch.arange(0, size, 2) / size))
        angle = torch.cat((angle, angle), dim=-1)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())

    def forward(self, tokens, targets):
        x = self.embedding(tokens)
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = F.linear(self.norm(x), self.embedding.weight)
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def measure(arguments, name, half, compiled):
    torch.manual_seed(1)
    device = torch.device(arguments.device)
    model = Model(*PRESETS[arguments.preset], arguments.length).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, fused=True)
    network = torch.compile(model) if compiled else model
    shape = (arguments.batch_size, arguments.length + 1)
    seconds = []
    for step in range(arguments.steps + arguments.warm_up):
        tokens = torch.randint(0, VOCABULARY, shape, device=device)
        wait(device)
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = network(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        wait(device)
        if step >= arguments.warm_up:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    memory = f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB" if device.type == "cuda" else ""
    parameters = sum(p.numel() for p in model.parameters())
    rate = arguments.batch_size * arguments.length / median
    print(f"torch {torch.__version__} {name}: {parameters:,} parameters, {rate:,.0f} tokens/s,"
          f" {1000 * median:,.1f} ms a step {memory}", flush=True)


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--preset", default="small", choices=PRESETS)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3, help="steps that do not count")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--modes", default="float32,tf32,bf16,bf16-compiled")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    for mode in arguments.modes.split(","):
        torch.backends.cuda.matmul.allow_tf32 = mode == "tf32"
        Attention.explicit = mode.endswith("explicit")
        try:
            measure(arguments, mode, mode.startswith("bf16"), mode.endswith("compiled"))
        except Exception as e:  # A way that this machine lacks (no compiler, say) is told, not fatal.
            print(f"torch {mode}: {type(e).__name__}: {str(e).splitlines()[0]}", flush=True)


if __name__ == "__main__":
    main()
