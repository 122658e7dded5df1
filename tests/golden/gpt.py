"""Scores, loss and gradients of a GPT in PyTorch, in float64, for weights that are written down.

    pip install torch numpy
    python gpt.py gpt.json

The network is downhill's `gpt:layers=2,width=6,heads=2,context=5` with 7 tokens, on windows of 5 and of 3. Its layers are PyTorch's own
`nn.TransformerEncoderLayer` with `norm_first`. Weights and gradients stand in PyTorch's layout, in the order of downhill's layers.
"""
import json, sys
import numpy as np, torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.default_rng(0)
torch.set_default_dtype(torch.float64)
LAYERS, WIDTH, HEADS, CONTEXT, TOKENS = 2, 6, 2, 5, 7

tokens, positions = nn.Embedding(TOKENS, WIDTH), nn.Embedding(CONTEXT, WIDTH)
layers = [nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True) for _ in range(LAYERS)]
norm, output = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, TOKENS, bias=False)

def pair(name, module):
    return [(f"{name}.weight", module.weight), (f"{name}.bias", module.bias)]

named = [("tokens.weight", tokens.weight), ("positions.weight", positions.weight)]
for i, layer in enumerate(layers):
    named += pair(f"blocks.{i}.norm1", layer.norm1)
    named += [(f"blocks.{i}.attention.weight", layer.self_attn.in_proj_weight), (f"blocks.{i}.attention.bias", layer.self_attn.in_proj_bias)]
    named += pair(f"blocks.{i}.projection", layer.self_attn.out_proj) + pair(f"blocks.{i}.norm2", layer.norm2)
    named += pair(f"blocks.{i}.hidden", layer.linear1) + pair(f"blocks.{i}.contraction", layer.linear2)
named += pair("norm", norm) + [("output.weight", output.weight)]

with torch.no_grad():
    for name, parameter in named:
        drawn = np.round(rng.standard_normal(tuple(parameter.shape)) * 0.4, 4)
        parameter.copy_(torch.tensor(drawn + (1.0 if "norm" in name and name.endswith("weight") else 0.0)))

def forward(x):
    length = x.shape[1]
    future = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
    h = tokens(x) + positions.weight[:length]
    for layer in layers:
        h = layer(h, src_mask=future)
    return output(norm(h))

flat = lambda t: t.detach().numpy().ravel().tolist()
cases = []
for length in [5, 3]:
    windows = rng.integers(0, TOKENS, (3, length + 1))
    for _, parameter in named:
        parameter.grad = None
    scores = forward(torch.tensor(windows[:, :-1]))
    loss = F.cross_entropy(scores.reshape(-1, TOKENS), torch.tensor(windows[:, 1:]).reshape(-1))
    loss.backward()
    cases.append(dict(windows=windows.tolist(), scores=flat(scores), loss=loss.item(), gradients=[flat(p.grad) for _, p in named]))
parameters = [dict(name=name, shape=list(p.shape), value=flat(p)) for name, p in named]
json.dump(dict(torch=torch.__version__, spec="gpt:layers=2,width=6,heads=2,context=5", vocabulary=TOKENS, parameters=parameters, cases=cases),
          open(sys.argv[1], "w"), separators=(",", ":"))
