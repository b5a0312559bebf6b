"""Writes what PEFT's fine-tuning of a small Qwen3 does in 20 steps: reference.json with a new adapter, continued.json
going on with one that is loaded from a folder.

usage: python reference.py CORPUS.csv   (transformers 5, peft 0.21, torch 2.13; one thread)

Base and start of the adapter are numbers that both sides compute from their names, so that no weights need be kept.
"""

import csv
import json
import sys
import tempfile
import zlib

import numpy
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import Qwen3Config, Qwen3ForCausalLM

ROWS, LENGTH, STEPS, RATE = 4, 48, 20, 3e-3
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def numbers(name, count):
    """Numbers from -1 to 1, of a name: murmur's last mixing of a counter that starts at its CRC."""
    x = (zlib.crc32(name.encode()) + numpy.arange(count, dtype=numpy.uint64) * 0x9E3779B1) & 0xFFFFFFFF
    x ^= x >> numpy.uint64(16)
    x = (x * 0x85EBCA6B) & 0xFFFFFFFF
    x ^= x >> numpy.uint64(13)
    x = (x * 0xC2B2AE35) & 0xFFFFFFFF
    x ^= x >> numpy.uint64(16)
    return x.astype(numpy.float64) / 2**31 - 1


def start(name, shape):
    values = numbers(name, int(numpy.prod(shape))).reshape(shape)
    if len(shape) == 1:
        return 1 + 0.2 * values
    return values * (0.5 if "embed" in name else 1.5 / shape[1] ** 0.5)


def base():
    config = Qwen3Config(
        vocab_size=259, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=32, intermediate_size=128, max_position_embeddings=128, rms_norm_eps=1e-6, rope_theta=1e6,
        tie_word_embeddings=True, attn_implementation="eager")
    return Qwen3ForCausalLM(config)


def fill(model, with_b):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            plain = name.removeprefix("base_model.model.").replace(".base_layer.", ".").replace(".default.", ".")
            if with_b or "lora_B" not in name:
                parameter.copy_(torch.from_numpy(start(plain, tuple(parameter.shape))).float())


def new():
    model = get_peft_model(base(), LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules=LAYERS, task_type="CAUSAL_LM"))
    fill(model, False)
    return model


def continued():
    """An adapter with another way to scale, of some layers, saved and loaded to be trained on."""
    config = LoraConfig(r=4, lora_alpha=3, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")
    saved = get_peft_model(base(), config)
    fill(saved, True)
    with tempfile.TemporaryDirectory() as folder:
        saved.save_pretrained(folder)
        plain = base()
        fill(plain, True)
        return PeftModel.from_pretrained(plain, folder, is_trainable=True)


def train(model, ids):
    trained = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)

    def loss(batch):
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits.reshape(-1, 259), batch[:, 1:].reshape(-1))

    losses, norms = [], []
    for batch in ids:
        found = loss(batch)
        adam.zero_grad()
        found.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(trained, 1e9)))
        adam.step()
        losses.append(found.item())
    with torch.no_grad():
        after = [loss(batch).item() for batch in ids[:3]]
    return dict(losses=losses, gradientNorms=norms, lossesAfter=after)


def main():
    torch.set_num_threads(1)
    text = ""
    for row in csv.DictReader(open(sys.argv[1], encoding="utf-8")):
        text += row["text"] + "\n"
        if len(text.encode()) >= STEPS * ROWS * (LENGTH + 1):
            break
    ids = torch.tensor(list(text.encode()[: STEPS * ROWS * (LENGTH + 1)])).reshape(STEPS, ROWS, LENGTH + 1)
    for name, model in ("reference", new()), ("continued", continued()):
        kept = dict(rows=ROWS, length=LENGTH, learningRate=RATE, text=text, **train(model, ids))
        with open(name + ".json", "w") as out:
            json.dump(kept, out, indent=1, ensure_ascii=False)


main()
