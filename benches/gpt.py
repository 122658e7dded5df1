"""The other side of `cargo bench --bench gpt -- python3`: the same model in PyTorch.

Prints the version of torch, and for each line of its input the mean milliseconds of a training step.
"""
import sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

layers, width, heads, context, windows, vocabulary, steps = map(int, sys.argv[1:8])
rate = float(sys.argv[8])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.hidden, self.contraction = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        n, length, _ = x.shape
        q, k, v = (part.view(n, length, heads, -1).transpose(1, 2) for part in self.attention(self.norm1(x)).split(width, 2))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=rate if self.training else 0.0)
        x = x + F.dropout(self.projection(seen.transpose(1, 2).reshape(n, length, width)), rate, self.training)
        return x + F.dropout(self.contraction(F.gelu(self.hidden(self.norm2(x)))), rate, self.training)


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = F.dropout(self.tokens(tokens) + self.positions.weight[: tokens.shape[1]], rate, self.training)
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


torch.manual_seed(0)
model = Gpt()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
tokens = (torch.arange(windows * (context + 1)) * 7919 % vocabulary).view(windows, context + 1)
print(torch.__version__, "with", torch.get_num_threads(), "threads", flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        scores = model(tokens[:, :-1])
        F.cross_entropy(scores.reshape(-1, vocabulary), tokens[:, 1:].reshape(-1)).backward()
        optimizer.step()
    print((time.perf_counter() - begin) * 1e3 / steps, flush=True)
