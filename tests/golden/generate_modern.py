"""Reference trajectories of optimizers published since 2018, in float64: PyTorch, Keras, Optax, and the packages
schedulefree, pytorch_optimizer and timm.

    pip install torch==2.15.0 keras==3.15.1 jax==0.10.2 optax==0.2.8 schedulefree==1.4.1 pytorch_optimizer==4.1.0 timm==1.0.31
    python generate_modern.py OUT.json --seed 0

As generate.py, every case is open loop: the same recorded gradients g_1..g_40 are fed to one optimizer, and the
parameters after each step are written down. The five coordinates have gradients of size 1, 0.1, 1e-3, 1e-6 and
exactly 0. Here the learning rate also warms up: it is lr/5 for 5 steps, and lr/10 after step 20. So averages that
are weighted by the learning rate differ from those that are not. `settings` are the package's own arguments.
`dialect` is downhill's dialect of the optimizer, where it has not the package's name.

`evaluation` are the parameters to evaluate, of packages that distinguish them from the parameters in training.
"""
import argparse, json, os
os.environ["KERAS_BACKEND"] = "jax"
import numpy as np, jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp, torch, optax, keras, schedulefree, pytorch_optimizer, timm.optim
import pytorch_optimizer.optimizer.grokfast as grokfast
keras.config.set_floatx("float64")

a = argparse.ArgumentParser(); a.add_argument("out"); a.add_argument("--seed", type=int, default=0)
a.add_argument("--vary", action="store_true", help="other hyper-parameters than the defaults below")
args = a.parse_args()
rng = np.random.default_rng(1000 + args.seed)
STEPS, WARM, DROP = 40, 5, 20
theta0 = np.array([0.5, -0.3, 1.2, -2.0, 0.05])
grads = rng.standard_normal((STEPS, 5)) * np.array([1, 0.1, 1e-3, 1e-6, 0.0])
factor = lambda i: 1 / 5 if i < WARM else 1.0 if i < DROP else 1 / 10
divide = lambda lr, i: lr / 5 if i < WARM else lr if i < DROP else lr / 10
V = args.vary
B1, B2, B3, MU, WD = (0.85, 0.98, 0.99, 0.95, 0.05) if V else (0.9, 0.999, 0.9999, 0.9, 0.01)
ALPHA, T3, L = (2.0, 17, 0.02) if V else (5.0, 30, 0.01)
GAMMA, WINDOW, LAMB, FILTER = (0.1, 4, 3.0, 0.9) if V else (0.025, 7, 2.0, 0.98)

def steps_of(make, before=None, exact=False, **kw):
    """The steps of a torch optimizer. `before` changes the gradient."""
    if exact: torch.set_default_dtype(torch.float64) # timm keeps bias corrections in the default type
    model = torch.nn.Module(); model.x = torch.nn.Parameter(torch.tensor(theta0, dtype=torch.float64))
    o = make([model.x], **kw); out, evaluated, kept = [], [], None
    if hasattr(o, "train"): o.train()
    for i, g in enumerate(grads):
        o.param_groups[0]["lr"] = divide(kw["lr"], i); model.x.grad = torch.tensor(g, dtype=torch.float64)
        if before: kept = before(model, kept)
        o.step(); out.append(model.x.detach().numpy().tolist())
        if hasattr(o, "eval"):
            o.eval(); evaluated.append(model.x.detach().numpy().tolist())
            with torch.no_grad(): model.x.copy_(torch.tensor(out[-1], dtype=torch.float64))
            for group in o.param_groups: group["train_mode"] = True
    torch.set_default_dtype(torch.float32)
    return out, evaluated

def with_keras(make, lr, **kw):
    o = make(learning_rate=lr, **kw); v = keras.Variable(theta0, dtype="float64"); o.build([v]); out = []
    for i, g in enumerate(grads):
        o.learning_rate = divide(lr, i); o.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [v]); out.append(np.array(v).tolist())
    return out, []

def with_optax(make, lr, from_one=False, evaluate=None, **kw):
    """`from_one`: the schedule gets the number of the step from 1."""
    table = jnp.array([divide(lr, i) for i in range(STEPS)])
    tx = make(lambda count: table[count - 1 if from_one else count], **kw)
    p = jnp.array(theta0); s = tx.init(p); out, evaluated = [], []
    for g in grads:
        u, s = tx.update(jnp.array(g), s, p); p = optax.apply_updates(p, u); out.append(np.array(p).tolist())
        if evaluate: evaluated.append(np.array(evaluate(s, p)).tolist())
    return out, evaluated

def optax_schedule_free(make, lr, **kw):
    # the base optimizer counts steps from 0, and the wrapper from 1
    table = jnp.array([divide(lr, i) for i in range(STEPS)])
    base = make(lambda count: table[count])
    tx = optax.contrib.schedule_free(base, lambda count: table[count - 1], **kw)
    p = jnp.array(theta0); s = tx.init(p); out, evaluated = [], []
    for g in grads:
        u, s = tx.update(jnp.array(g), s, p); p = optax.apply_updates(p, u); out.append(np.array(p).tolist())
        evaluated.append(np.array(optax.contrib.schedule_free_eval_params(s, p)).tolist())
    return out, evaluated

cases = []
def case(framework, call, optimizer, run, dialect=None, **settings):
    theta, evaluated = run
    listed = {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
    one = dict(framework=framework, call=call, optimizer=optimizer, settings=listed, theta=theta)
    if dialect: one["dialect"] = dialect
    if evaluated: one["evaluation"] = evaluated
    cases.append(one)

def torch_case(make, optimizer, lr=L, framework="torch", before=None, extra={}, hidden={}, dialect=None, **kw):
    run = steps_of(make, before=before, exact=framework == "timm", lr=lr, **kw, **hidden)
    case(framework, make.__name__, optimizer, run, dialect=dialect, lr=lr, **kw, **extra)
def optax_case(make, optimizer, lr=L, **kw):
    case("optax", getattr(make, "__name__", optimizer), optimizer, with_optax(make, lr, **kw), lr=lr, **kw)

to, po, ti, oc = torch.optim, pytorch_optimizer, timm.optim, optax.contrib
plain = dict(foreach=False)

# AdEMAMix
betas3 = (B1, B2, B3)
optax_case(oc.ademamix, "ademamix", b1=B1, b2=B2, b3=B3, alpha=ALPHA, eps=1e-8, weight_decay=WD)
for more in [dict(), dict(t_alpha_beta3=T3), dict(weight_decay=WD, t_alpha_beta3=T3)]:
    torch_case(po.AdEMAMix, "ademamix", framework="pytorch_optimizer", betas=betas3, alpha=ALPHA, eps=1e-8, weight_decouple=True, hidden=plain, **more)

# NAdamW
torch_case(to.NAdam, "nadamw", betas=(B1, B2), eps=1e-8, momentum_decay=0.004, weight_decay=WD, decoupled_weight_decay=True)
case("keras", "Nadam", "nadamw", with_keras(keras.optimizers.Nadam, L, beta_1=B1, beta_2=B2, epsilon=1e-7, weight_decay=WD), lr=L, beta_1=B1, beta_2=B2, epsilon=1e-7, weight_decay=WD)
optax_case(optax.nadamw, "nadamw", b1=B1, b2=B2, eps=1e-8, weight_decay=WD)
torch_case(ti.NAdamW, "nadamw", framework="timm", betas=(B1, B2), eps=1e-8, weight_decay=WD, hidden=plain)

# Signum
optax_case(optax.signum, "signum", beta=MU)
torch_case(po.SignSGD, "signum", framework="pytorch_optimizer", momentum=MU, weight_decay=WD, weight_decouple=True, hidden=plain)
torch_case(po.SignSGD, "signum", framework="pytorch_optimizer", momentum=0.0, weight_decay=0.0, weight_decouple=True, hidden=plain)

# LaProp
torch_case(ti.LaProp, "laprop", framework="timm", betas=(B1, B2), eps=1e-15, hidden=plain)
torch_case(ti.LaProp, "laprop", framework="timm", betas=(B1, B2), eps=1e-4, hidden=plain)

# ADOPT and Lion, which have no case in trajectories.json
optax_case(oc.adopt, "adopt", b1=B1, b2=B2, eps=1e-6)
optax_case(optax.lion, "lion", b1=B1, b2=B2, weight_decay=WD)
case("keras", "Lion", "lion", with_keras(keras.optimizers.Lion, L, beta_1=B1, beta_2=B2, weight_decay=WD), lr=L, beta_1=B1, beta_2=B2, weight_decay=WD)

# schedule-free
for more in [dict(), dict(weight_decay=WD), dict(r=1.5, weight_lr_power=1.0, weight_decay=WD)]:
    torch_case(schedulefree.AdamWScheduleFree, "schedule_free", framework="schedulefree", betas=(B1, B2), eps=1e-8, hidden=plain, **more)
    torch_case(schedulefree.SGDScheduleFree, "schedule_free_sgd", framework="schedulefree", momentum=MU, hidden=plain, **more)
for decay in [0.0, WD]:
    adamw = lambda lr: optax.chain(optax.scale_by_rms(decay=B2, eps=1e-8, eps_in_sqrt=False, bias_correction=True), optax.add_decayed_weights(decay), optax.scale_by_learning_rate(lr))
    case("optax", "schedule_free_adamw", "schedule_free", optax_schedule_free(adamw, L, b1=B1), lr=L, b1=B1, b2=B2, eps=1e-8, weight_decay=decay)
    sgd = lambda lr: optax.chain(optax.add_decayed_weights(decay), optax.sgd(lr))
    case("optax", "schedule_free_sgd", "schedule_free_sgd", optax_schedule_free(sgd, L, b1=B1, weight_lr_power=1.0), lr=L, b1=B1, weight_decay=decay, weight_lr_power=1.0)

# cautious
torch_case(ti.Lion, "lion", framework="timm", dialect="optax", betas=(B1, B2), weight_decay=WD, caution=True, hidden=plain)
torch_case(ti.LaProp, "laprop", framework="timm", betas=(B1, B2), eps=1e-15, caution=True, hidden=plain)
torch_case(ti.NAdamW, "nadamw", framework="timm", betas=(B1, B2), eps=1e-8, weight_decay=WD, caution=True, hidden=plain)
torch_case(ti.AdamWLegacy, "adamw", framework="timm", dialect="torch", betas=(B1, B2), eps=1e-8, weight_decay=WD, caution=True, hidden=plain)
torch_case(po.Lion, "lion", framework="pytorch_optimizer", dialect="keras", betas=(B1, B2), weight_decay=WD, weight_decouple=True, cautious=True, hidden=plain)

# MARS
torch_case(ti.Mars, "adam", framework="timm", dialect="torch", betas=(B1, B2), eps=1e-8, optimize_1d=True, gamma=GAMMA)
torch_case(ti.Mars, "adamw", framework="timm", dialect="torch", betas=(B1, B2), eps=1e-8, optimize_1d=True, gamma=GAMMA, weight_decay=WD)

# Grokfast, around torch's Adam
ema = lambda model, kept: grokfast.gradfilter_ema(model, kept, alpha=FILTER, lamb=LAMB)
ma = lambda model, kept: grokfast.gradfilter_ma(model, kept, window_size=WINDOW, lamb=LAMB)
torch_case(to.Adam, "adam", framework="pytorch_optimizer", dialect="torch", before=ema, betas=(B1, B2), eps=1e-8, extra={"gradfilter_ema.alpha": FILTER, "gradfilter_ema.lamb": LAMB})
torch_case(to.Adam, "adam", framework="pytorch_optimizer", dialect="torch", before=ma, betas=(B1, B2), eps=1e-8, extra={"gradfilter_ma.window_size": WINDOW, "gradfilter_ma.lamb": LAMB})

versions = dict(torch=torch.__version__, keras=keras.__version__, optax=optax.__version__, jax=jax.__version__, schedulefree="1.4.1", pytorch_optimizer="4.1.0", timm=timm.__version__)
source = ("Outputs of these programs for random input, made by tests/golden/generate_modern.py. Numbers have no licence; the programs: "
          "torch BSD-3-Clause, keras, optax, jax, schedulefree, pytorch_optimizer and timm Apache-2.0.")
json.dump(dict(source=source, versions=versions, lr="lr/5 for steps 1-5, lr for steps 6-20, lr/10 for steps 21-40", theta0=theta0.tolist(), grads=grads.tolist(), cases=cases), open(args.out, "w"))
print(len(cases), "cases")
