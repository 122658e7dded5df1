"""Scores, loss and gradients of an MLP, a CNN and a VAE in PyTorch, in float64, for weights that are written down.

    pip install torch numpy
    python models.py models.json

The networks are downhill's `mlp:hidden=5-4,activation=tanh` and `cnn:channels=3-4-5,hidden=6`, the CNN on images of 7 x 6, whose windows
reach over the edge by one on both sides or only at the end. The VAE is `vae:hidden=5,latent=2`, its divergence from `torch.distributions`; its
`noise` is written down, and for scores it has the loss of each example. Weights and gradients stand in PyTorch's layout, in the order of the layers.
"""
import json, sys
import numpy as np, torch
import torch.nn.functional as F

rng = np.random.default_rng(0)
torch.set_default_dtype(torch.float64)

def parameters(shapes):
    return [torch.tensor(np.round(rng.standard_normal(s) * 0.4, 4), requires_grad=True) for s in shapes]

def mlp(x, p):
    for i in range(0, len(p) - 2, 2):
        x = torch.tanh(F.linear(x, p[i], p[i + 1]))
    return F.linear(x, p[-2], p[-1])

def same(side):
    over = max((-(-side // 2) - 1) * 2 + 3 - side, 0)
    return over // 2, over - over // 2

def cnn(x, p):
    for i in range(0, 6, 2):
        x = F.relu(F.conv2d(x, p[i], p[i + 1], padding=2))
        (top, bottom), (left, right) = same(x.shape[2]), same(x.shape[3])
        x = F.max_pool2d(F.pad(x, (left, right, top, bottom), value=-torch.inf), 3, 2)
    x = F.relu(F.linear(x.flatten(1), p[6], p[7]))
    return F.linear(x, p[8], p[9])

def case(spec, input, net, shapes):
    n = 4
    p = parameters(shapes)
    x = np.round(rng.standard_normal((n, *input)), 4)
    y = np.array([2, 0, 1, 2])
    scores = net(torch.tensor(x), p)
    loss = F.cross_entropy(scores, torch.tensor(y))
    loss.backward()
    flat = lambda t: t.detach().numpy().ravel().tolist()
    return dict(spec=spec, input=list(input), classes=3, x=x.ravel().tolist(), y=y.tolist(), scores=flat(scores), loss=loss.item(),
                parameters=[dict(shape=list(t.shape), value=flat(t), gradient=flat(t.grad)) for t in p])

cases = [
    case("mlp:hidden=5-4,activation=tanh", (6,), mlp, [(5, 6), (5,), (4, 5), (4,), (3, 4), (3,)]),
    case("cnn:channels=3-4-5,hidden=6", (2, 7, 6), cnn,
         [(3, 2, 5, 5), (3,), (4, 3, 5, 5), (4,), (5, 4, 5, 5), (5,), (6, 5), (6,), (3, 6), (3,)]),
]

def vae(x, p, noise):
    h = F.softplus(F.linear(x, p[0], p[1]))
    latent = torch.distributions.Normal(F.linear(h, p[2], p[3]), torch.exp(F.linear(h, p[4], p[5]) / 2))
    odds = F.linear(F.softplus(F.linear(latent.mean + latent.stddev * noise, p[6], p[7])), p[8], p[9])
    pixels = F.binary_cross_entropy_with_logits(odds, x, reduction="none").sum(1)
    return pixels + torch.distributions.kl_divergence(latent, torch.distributions.Normal(0.0, 1.0)).sum(1)

noise = np.round(rng.standard_normal((4, 2)), 4)
pixels = np.round(rng.random((4, 6)), 4)
p = parameters([(5, 6), (5,), (2, 5), (2,), (2, 5), (2,), (5, 2), (5,), (6, 5), (6,)])
each = vae(torch.tensor(pixels), p, torch.tensor(noise))
each.mean().backward()
flat = lambda t: t.detach().numpy().ravel().tolist()
autoencoder = dict(spec="vae:hidden=5,latent=2", x=pixels.ravel().tolist(), noise=noise.ravel().tolist(), scores=flat(each),
                   parameters=[dict(shape=list(t.shape), value=flat(t), gradient=flat(t.grad)) for t in p])
json.dump(dict(torch=torch.__version__, cases=cases, autoencoder=autoencoder), open(sys.argv[1], "w"), separators=(",", ":"))
