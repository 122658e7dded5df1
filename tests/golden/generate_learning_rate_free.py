"""Reference trajectories of learning-rate-free optimizers, and of cautious weight decay, in float64: prodigyopt,
dadaptation, pytorch_optimizer, Optax and heavyball.

    pip install torch==2.15.0 jax==0.10.2 optax==0.2.8 prodigyopt==1.1.2 dadaptation==3.2 pytorch_optimizer==4.1.0 heavyball==3.2.1
    python generate_learning_rate_free.py OUT.json --seed 0

As generate_modern.py, open loop, with the same coordinates and the same learning rates. Here the gradients have a
mean, since the estimate of d only grows where they do. The packages get the vector as two parameters of three and
two elements: their sums go over all parameters, and a replay with one vector agrees only if they do.
"""
import argparse, json, os
os.environ["TORCH_COMPILE_DISABLE"] = "1"
import numpy as np, jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp, torch, optax, prodigyopt, dadaptation, pytorch_optimizer, heavyball

heavyball.utils.compile_mode = None

a = argparse.ArgumentParser(); a.add_argument("out"); a.add_argument("--seed", type=int, default=0)
a.add_argument("--vary", action="store_true", help="other hyper-parameters than the defaults below")
args = a.parse_args()
rng = np.random.default_rng(3000 + args.seed)
STEPS, WARM, DROP, CUT = 40, 5, 20, 3
theta0 = np.array([0.5, -0.3, 1.2, -2.0, 0.05])
grads = (rng.standard_normal((STEPS, 5)) + np.array([3.0, -2.0, 1.0, 2.0, 0.0])) * np.array([1, 0.1, 1e-3, 1e-6, 0.0])
divide = lambda lr, i: lr / 5 if i < WARM else lr if i < DROP else lr / 10
V = args.vary
B1, B2, B3, WD, D0, COEF, GROWTH = (0.85, 0.98, 0.97, 0.05, 1e-4, 0.6, 1.1) if V else (0.9, 0.999, 0.99, 0.01, 1e-5, 2.0, 1.3)
L, MU, DECAY, SAFE = (0.02, 0.8, 0.3, 6.0) if V else (0.01, 0.9, 0.5, 8.0)

def with_torch(make, lr, **kw):
    torch.set_default_dtype(torch.float64) # pytorch_optimizer keeps its sums in the default type
    parts = [torch.nn.Parameter(torch.tensor(part)) for part in (theta0[:CUT], theta0[CUT:])]
    o = make(parts, lr=lr, **kw); out = []
    for i, g in enumerate(grads):
        o.param_groups[0]["lr"] = divide(lr, i)
        for part, g in zip(parts, (g[:CUT], g[CUT:])): part.grad = torch.tensor(g)
        o.step(); out.append(np.concatenate([part.detach().numpy() for part in parts]).tolist())
    # without growth of d, a case would not show how d is used
    if "d" in o.param_groups[0]: assert o.param_groups[0]["d"] > 2 * kw.get("d0", 1e-6), (make.__name__, kw, o.param_groups[0]["d"])
    return out

def with_optax(make, lr, **kw):
    table = jnp.array([divide(lr, i) for i in range(STEPS)])
    tx = make(lambda count: table[count], **kw)
    p = [jnp.array(theta0[:CUT]), jnp.array(theta0[CUT:])]; s = tx.init(p); out = []
    for g in grads:
        u, s = tx.update([jnp.array(g[:CUT]), jnp.array(g[CUT:])], s, p); p = optax.apply_updates(p, u)
        out.append(np.concatenate(p).tolist())
    return out

cases = []
def case(framework, make, optimizer, lr=1.0, hidden={}, dialect=None, **kw):
    run = with_optax if framework == "optax" else with_torch
    listed = {k: list(v) if isinstance(v, tuple) else v for k, v in kw.items()}
    one = dict(framework=framework, call=make.__name__, optimizer=optimizer, settings=dict(lr=lr, **listed), theta=run(make, lr, **kw, **hidden))
    if dialect: one["dialect"] = dialect
    cases.append(one)

oc, po, plain, betas = optax.contrib, pytorch_optimizer, dict(foreach=False), (B1, B2)
both = dict(betas=betas, eps=1e-8)

# Prodigy: plain, and all of its switches
for more in [dict(), dict(d0=D0, d_coef=COEF, growth_rate=GROWTH, beta3=B3, weight_decay=WD), dict(d0=D0, d_coef=SAFE, use_bias_correction=True, safeguard_warmup=True),
             dict(d0=D0, decouple=False, weight_decay=WD)]:
    case("prodigyopt", prodigyopt.Prodigy, "prodigy", **both, **more)
for more in [dict(), dict(d0=D0, d_coef=COEF, growth_rate=GROWTH, beta3=B3, weight_decay=WD, weight_decouple=True), dict(d0=D0, d_coef=SAFE, bias_correction=True, safeguard_warmup=True)]:
    case("pytorch_optimizer", po.Prodigy, "prodigy", hidden=plain, **both, **more)
for more in [dict(), dict(estim_lr0=D0, estim_lr_coef=COEF, beta3=B3, weight_decay=WD), dict(estim_lr0=D0, estim_lr_coef=SAFE, safeguard_warmup=True)]:
    case("optax", oc.prodigy, "prodigy", **both, **more)

# D-Adaptation
for more in [dict(), dict(d0=D0, growth_rate=GROWTH, decouple=True, weight_decay=WD), dict(d0=D0, use_bias_correction=True, weight_decay=WD)]:
    case("dadaptation", dadaptation.DAdaptAdam, "dadapt_adam", **both, **more)
for more in [dict(), dict(d0=D0, growth_rate=GROWTH, weight_decouple=True, weight_decay=WD), dict(d0=D0, bias_correction=True)]:
    case("pytorch_optimizer", po.DAdaptAdam, "dadapt_adam", hidden=plain, **both, **more)
for more in [dict(), dict(estim_lr0=D0, weight_decay=WD)]:
    case("optax", oc.dadapt_adamw, "dadapt_adam", **both, **more)

# cautious weight decay, around momentum
for cautious in [True, False]:
    case("heavyball", heavyball.SGD, "momentum", lr=L, dialect="torch", hidden=dict(storage_dtype="float64", compile_step=False), beta=MU, weight_decay=DECAY, cautious_weight_decay=cautious)

versions = dict(torch=torch.__version__, optax=optax.__version__, jax=jax.__version__, prodigyopt="1.1.2", dadaptation="3.2", pytorch_optimizer="4.1.0", heavyball="3.2.1")
source = ("Outputs of these programs for random input, made by tests/golden/generate_learning_rate_free.py. Numbers have no licence; the programs: "
          "torch BSD-3-Clause, heavyball BSD-2-Clause, prodigyopt and dadaptation MIT, optax, jax and pytorch_optimizer Apache-2.0.")
json.dump(dict(source=source, versions=versions, lr="lr/5 for steps 1-5, lr for steps 6-20, lr/10 for steps 21-40", theta0=theta0.tolist(), grads=grads.tolist(), cases=cases), open(args.out, "w"))
print(len(cases), "cases")
