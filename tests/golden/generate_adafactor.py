"""Reference trajectories of Adafactor on a matrix and on a vector, in float64: PyTorch, Keras (JAX backend), Optax.

    pip install torch==2.15.0 keras==3.15.1 jax==0.10.2 optax==0.2.8
    python generate_adafactor.py OUT.json --seed 0

Open loop, as generate.py. `line` is the spec of downhill that has to agree. Optax rounds the decay rate to
float32, and Keras computes all means in float32; here both are float64.
"""
import argparse, json, os
os.environ["KERAS_BACKEND"] = "jax"
import numpy as np, jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp, torch, optax, keras
keras.config.set_floatx("float64")

a = argparse.ArgumentParser(); a.add_argument("out"); a.add_argument("--seed", type=int, default=0); args = a.parse_args()
rng = np.random.default_rng(2000 + args.seed)
STEPS = 40
SHAPES = dict(matrix=(3, 4), vector=(5,))
theta0 = {k: rng.standard_normal(s) for k, s in SHAPES.items()}
grads = {k: [rng.standard_normal(s) * np.array([1, 0.1, 1e-3, 1e-5, 2.0])[: s[-1]] for _ in range(STEPS)] for k, s in SHAPES.items()}
rate = lambda lr, i: lr if i < 20 else lr / 10

def with_torch(kind, lr, **kw):
    p = torch.nn.Parameter(torch.tensor(theta0[kind])); o = torch.optim.Adafactor([p], lr=lr, foreach=False, **kw); out = []
    for i, g in enumerate(grads[kind]):
        o.param_groups[0]["lr"] = rate(lr, i); p.grad = torch.tensor(g); o.step(); out.append(p.detach().numpy().ravel().tolist())
    return out

# Keras computes means in float32
import keras.src.ops as keras_ops
keras_ops.mean = lambda x, axis=None, keepdims=False: jnp.mean(jnp.asarray(x), axis=axis, keepdims=keepdims)

def with_keras(kind, lr, **kw):
    o = keras.optimizers.Adafactor(learning_rate=lr, **kw); v = keras.Variable(theta0[kind], dtype="float64"); o.build([v]); out = []
    for i, g in enumerate(grads[kind]):
        o.learning_rate = rate(lr, i); o.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [v]); out.append(np.array(v).ravel().tolist())
    return out

def with_optax(kind, lr, clip, scaled, min_size):
    exact = lambda i, exponent: 1.0 - jnp.array(i + 1, jnp.float64) ** (-exponent)
    parts = [optax.scale_by_factored_rms(decay_rate=0.8, min_dim_size_to_factor=min_size, epsilon=1e-30, decay_rate_fn=exact), optax.clip_by_block_rms(clip),
             optax.scale_by_learning_rate(lambda i: jnp.where(i < 20, lr, lr / 10), flip_sign=False)]
    if scaled: parts.append(optax.scale_by_param_block_rms())
    tx = optax.chain(*parts, optax.scale(-1)); p = jnp.array(theta0[kind]); s = tx.init(p); out = []
    for g in grads[kind]:
        u, s = tx.update(jnp.array(g), s, p); p = optax.apply_updates(p, u); out.append(np.array(p).ravel().tolist())
    return out

cases = []
for kind in SHAPES:
    add = lambda framework, line, theta: cases.append(dict(kind=kind, framework=framework, line=line, theta=theta))
    add("torch", "adafactor@torch:lr=0.01,eps=1e-7,lambda=0.05", with_torch(kind, 0.01, eps=(1e-7, 1e-3), weight_decay=0.05))
    add("torch", "adafactor@torch:lr=0.5,eps=0.01,clip=1.3,decay_rate=0.6,least_rms=2,lambda=0", with_torch(kind, 0.5, eps=(0.01, 2.0), d=1.3, beta2_decay=-0.6, weight_decay=0.0))
    add("keras", "adafactor@keras:lr=0.01", with_keras(kind, 0.01))
    add("keras", "adafactor@keras:lr=0.5,eps=1e-4,clip=0.7,decay_rate=0.6,least_rms=2", with_keras(kind, 0.5, epsilon_1=1e-4, epsilon_2=2.0, clip_threshold=0.7, beta_2_decay=-0.6))
    add("optax", "adafactor@optax:lr=0.01,min_size=1", with_optax(kind, 0.01, 1.0, True, 1))
    add("optax", "adafactor@optax:lr=0.5,clip=0.7,scale_parameter=no", with_optax(kind, 0.5, 0.7, False, 128))

source = "Outputs of these programs for random input, made by tests/golden/generate_adafactor.py. Numbers have no licence; the programs: torch BSD-3-Clause, keras, optax and jax Apache-2.0."
json.dump(dict(source=source, versions=dict(torch=torch.__version__, keras=keras.__version__, optax=optax.__version__, jax=jax.__version__), lr="lr for steps 1-20, lr/10 for steps 21-40",
               theta0={k: v.ravel().tolist() for k, v in theta0.items()}, grads={k: [g.ravel().tolist() for g in v] for k, v in grads.items()}, cases=cases), open(args.out, "w"))
print(len(cases), "cases")
