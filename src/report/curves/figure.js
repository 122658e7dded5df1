  // A figure: its state, its controls and what the pointer does.

  const MANY = 6, MOST_PANELS = 24, MOST_ENDS = 14;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // All text becomes text nodes, so labels need no escaping.
  function make(tag, attributes, ...children) {
    const namespace = ["svg", "line"].includes(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
    const node = document.createElementNS(namespace, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function start(root) {
    const data = JSON.parse(root.querySelector(".data").textContent), series = data.series;
    const state = { x: data.x[0].name, y: data.y[0].name, logX: data.log_x, logY: data.log_y, seeds: false, panels: false, zoom: null };
    const cache = new Map(), hidden = new Set();
    let panels = [], width = 0, height = 0, drag = null;

    // Numbers are decoded when they are first shown.
    function decoded(key, data) {
      if (data === undefined) return null;
      if (!cache.has(key)) cache.set(key, numbersOf(data));
      return cache.get(key);
    }
    const xOf = (n) => decoded(`x ${n} ${state.x}`, series[n].x[state.x]);
    const partOf = (n, part, pick) => decoded(`${part} ${n} ${state.y}`, series[n].y[state.y] && pick(series[n].y[state.y]));
    const meanOf = (n) => partOf(n, "mean", (numbers) => numbers.mean);
    const bandOf = (n) => [0, 1].map((edge) => partOf(n, `band ${edge}`, (numbers) => numbers.band && numbers.band[edge]));
    const seedsOf = (n) => ((series[n].y[state.y] || {}).seeds || []).map((_, k) => partOf(n, `seed ${k}`, (numbers) => numbers.seeds[k]));
    const all = series.map((_, n) => n);
    const drawable = (n) => xOf(n) && meanOf(n);
    const visible = () => all.filter((n) => !hidden.has(n) && drawable(n));
    // series of one label differ in their details
    const names = series.map((own) => series.filter((other) => other.label === own.label).length > 1 ? `${own.label} ${own.details}` : own.label);
    const colorOf = (n) => dark.matches ? series[n].dark : series[n].light;
    const labelOf = (axes, name) => axes.find((axis) => axis.name === name).label;

    // The view without zoom. The value before training is often far above all others; a view that covers it
    // resolves nothing else, so it is left out there.
    function fullView() {
      const shown = visible(), skip = data.has_start && shown.some((n) => xOf(n).length > 2) ? 1 : 0;
      const x = extent(shown.flatMap((n) => { const xs = xOf(n), last = Math.min(xs.length, meanOf(n).length) - 1; return [xs[0], xs[1], xs[last], ...(state.logX ? xs.slice(0, 3) : []), ...series[n].crosses]; }), state.logX) || [0, 1];
      if (data.ticks.length && state.logX) [x[0], x[1]] = [x[0] / 1.3, x[1] * 1.3];
      const ys = [];
      let lowest = Infinity;
      for (const n of shown) {
        const mean = meanOf(n), [low, high] = bandOf(n);
        for (let i = skip; i < mean.length; i++) {
          if (state.logY && mean[i] > 0) lowest = Math.min(lowest, mean[i]);
          ys.push(mean[i], ...(low ? [low[i], high[i]] : []));
        }
        if (state.seeds) for (const seed of seedsOf(n)) for (let i = skip; i < seed.length; i++) ys.push(seed[i]);
      }
      const y = extent(state.logY ? ys.map((value) => value > 0 ? Math.max(value, lowest / 2) : value) : ys, state.logY) || [0.1, 1];
      const margin = state.logY ? 0 : 0.04 * (y[1] - y[0]);
      return { x, y: state.logY ? [y[0] / 1.1, y[1] * 1.1] : [y[0] - margin, y[1] + margin] };
    }

    // Where the panels are: one for all series, or one for each.
    function layout() {
      const view = state.zoom || fullView(), shown = visible(), inPanels = state.panels && shown.length > 1;
      const withEnds = !inPanels && width >= 620 && shown.length <= MOST_ENDS;
      const right = withEnds ? Math.min(210, 28 + Math.max(0, ...shown.map((n) => ctx.measureText(names[n]).width))) : 20;
      const columns = inPanels ? clamp(Math.floor(width / 210), 2, Math.ceil(Math.sqrt(shown.length * 1.6))) : 1;
      const rows = inPanels ? Math.ceil(shown.length / columns) : 1, area = { left: 58, top: 22, right: width - right, bottom: height - 40 };
      const gap = { x: 14, y: 24 }, size = { x: (area.right - area.left + gap.x) / columns, y: (area.bottom - area.top + (inPanels ? gap.y : 0)) / rows };
      panels = (inPanels ? shown : [null]).map((own, k) => {
        const column = k % columns, row = Math.floor(k / columns);
        const left = area.left + column * size.x, top = area.top + row * size.y + (inPanels ? 12 : 0);
        const box = { own, left, top, right: left + size.x - gap.x, bottom: top + size.y - (inPanels ? gap.y + 12 : 0) };
        if (!inPanels) [box.right, box.bottom] = [area.right, area.bottom];
        const isLowest = k + columns >= shown.length;
        return { ...box, withEnds, labels: [!inPanels || isLowest, column === 0, column === columns - 1], x: makeScale(...view.x, box.left, box.right, state.logX), y: makeScale(...view.y, box.bottom, box.top, state.logY) };
      });
    }

    function paintSeries(panel, n, colors, order) {
      const xs = xOf(n), ys = meanOf(n), band = bandOf(n), color = colorOf(n), { dash, mark, joined, points } = series[n];
      const seeds = state.seeds ? seedsOf(n) : [];
      for (const seed of seeds) paintLine(ctx, panel, xs, seed, { color, width: 1, alpha: 0.35 });
      if (!seeds.length && band[0]) paintBand(ctx, panel, xs, band, color);
      if (joined) paintLine(ctx, panel, xs, ys, { color, dash });
      if (joined && !points && order.lines > 1 && panel.own === null) paintMarks(ctx, panel, xs, ys, { mark, color, edge: colors.background, ...order });
      if (!joined || points) for (let i = 0; i < ys.length; i++) paintMark(ctx, [panel.x.at(xs[i]), panel.y.at(ys[i])], points && joined ? mark : 0, color, colors.background, joined ? 4 : 2.5);
      const end = series[n].diverged;
      for (const x of end === null ? series[n].crosses : [xs[Math.min(end, xs.length - 1)]]) {
        const px = panel.x.at(x), cross = new Path2D(`M${px - 5} ${panel.top}l10 10m0 -10l-10 10`);
        Object.assign(ctx, { strokeStyle: color, lineWidth: 2 });
        ctx.stroke(cross);
      }
    }

    function draw() {
      const style = getComputedStyle(root), color = (name) => style.getPropertyValue(name).trim();
      const colors = { background: color("--background"), foreground: color("--foreground"), grey: color("--grey"), grid: color("--grid") };
      const shown = visible();
      ctx.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
      ctx.clearRect(0, 0, width, height);
      ctx.font = `12px ${style.fontFamily}`;
      layout();
      // in its own panel each series is in colour, and the others are grey; panels differ in their place only
      const grey = new Map(panels[0].own === null ? [] : shown.map((n) => [n, lineOf(panels[0], xOf(n), meanOf(n))]));
      for (const panel of panels) {
        const size = [panel.right - panel.left, panel.bottom - panel.top];
        paintAxes(ctx, panel, colors, { ticks: [size[0] / 65, size[1] / 28], labels: panel.labels, tried: data.ticks });
        clipTo(ctx, panel);
        ctx.translate(panel.left - panels[0].left, panel.top - panels[0].top);
        for (const [n, shape] of grey) if (n !== panel.own) paintShape(ctx, shape, { color: colors.grey, width: 1, alpha: 0.35 });
        ctx.translate(panels[0].left - panel.left, panels[0].top - panel.top);
        for (const [k, n] of shown.entries()) if (panel.own === null || panel.own === n) paintSeries(panel, n, colors, { n: k, lines: shown.length });
        ctx.restore();
        Object.assign(ctx, { fillStyle: colors.foreground, textAlign: "left", textBaseline: "bottom" });
        if (panel.own !== null) ctx.fillText(names[panel.own], panel.left + 2, panel.top - 2, size[0]);
        if (panel.withEnds) paintEnds(ctx, panel, shown.filter((n) => series[n].joined).map((n) => end(panel, n)).filter((end) => Number.isFinite(end.y)), colors);
      }
      Object.assign(ctx, { fillStyle: colors.grey, textAlign: "left", textBaseline: "top" });
      ctx.fillText(labelOf(data.y, state.y), 2, 2, width - 4);
      Object.assign(ctx, { textAlign: "center", textBaseline: "bottom" });
      ctx.fillText(labelOf(data.x, state.x), (58 + panels[0].right) / 2, height - 2);
      publish(shown);
    }

    // Where a line ends, inside of the view.
    function end(panel, n) {
      const xs = xOf(n), ys = meanOf(n);
      let i = Math.min(xs.length, ys.length) - 1;
      while (i > 0 && (Number.isNaN(ys[i]) || xs[i] > panel.x.high)) i--;
      return { x: panel.x.at(xs[i]), y: panel.y.at(ys[i]), text: names[n], color: colorOf(n) };
    }

    // What is shown, for tests and for extensions.
    function publish(shown) {
      const { x, y, left, top, right, bottom } = panels[0];
      Object.assign(root.dataset, { visible: shown.map((n) => series[n].label).join("|"), plot: [left, top, right, bottom].join(","), view: [x.low, x.high, y.low, y.high].join(","), panels: panels.length });
    }

    function resize() {
      if (!canvas.clientWidth || (canvas.clientWidth === width && canvas.clientHeight === height)) return;
      const scale = window.devicePixelRatio || 1;
      [width, height] = [canvas.clientWidth, canvas.clientHeight];
      [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
      draw();
    }

    // Everything below the pointer: its x, and the value of each series there.
    function hover(event) {
      const panel = event && panelAt(event);
      tip.hidden = line.hidden = !panel;
      root.dataset.hover = "";
      if (!panel) return;
      const x = panel.x.back(clamp(event.offsetX, panel.left, panel.right));
      const rows = visible().map((n) => { const i = nearest(xOf(n), x); return { n, i, x: xOf(n)[i], value: meanOf(n)[i] }; }).filter((row) => Number.isFinite(row.value));
      if (!rows.length) { tip.hidden = line.hidden = true; return; }
      const at = rows.reduce((best, row) => Math.abs(row.x - x) < Math.abs(best.x - x) ? row : best).x;
      rows.sort((a, b) => b.value - a.value);
      tip.textContent = "";
      tip.append(make("b", {}, `${showCount(at)} ${labelOf(data.x, state.x)}`));
      for (const { n, i, value } of rows.slice(0, 30)) {
        const [low, high] = bandOf(n), spread = low && high[i] > low[i] ? ` ± ${show(Number(((high[i] - low[i]) / 2).toPrecision(2)))}` : "";
        tip.append(make("span", { class: "row" }, make("i", { style: `background:${colorOf(n)}` }), make("span", {}, names[n]), make("span", { class: "n" }, show(value) + spread)));
      }
      if (rows.length > 30) tip.append(make("span", {}, `and ${rows.length - 30} more`));
      root.dataset.hover = JSON.stringify({ x: at, values: Object.fromEntries(rows.map(({ n, value }) => [names[n], show(value)])) });
      const px = panel.x.at(at), isLeft = px > width / 2;
      Object.assign(line.style, { left: `${px}px`, top: `${panel.top}px`, height: `${panel.bottom - panel.top}px` });
      tip.style.left = `${clamp(isLeft ? px - tip.offsetWidth - 14 : px + 14, 0, Math.max(0, width - tip.offsetWidth))}px`;
      tip.style.top = `${clamp(event.offsetY - tip.offsetHeight / 2, 0, Math.max(0, height - tip.offsetHeight))}px`;
    }

    const panelAt = ({ offsetX, offsetY }) => panels.find((panel) => offsetX >= panel.left - 4 && offsetX <= panel.right + 4 && offsetY >= panel.top && offsetY <= panel.bottom);

    function press() {
      for (const button of buttons) button.setAttribute("aria-pressed", String(Boolean(state[button.dataset.key])));
      reset.hidden = !state.zoom;
    }

    function set(change) {
      Object.assign(state, change);
      press();
      hover(null);
      draw();
    }

    // Controls.
    const canvas = make("canvas", { role: "img" }), ctx = canvas.getContext("2d"), tip = make("div", { class: "tip" }), line = make("div", { class: "line" }), box = make("div", { class: "box" });
    tip.hidden = line.hidden = box.hidden = true;
    const choice = (label, axes, key) => {
      const select = make("select", { "aria-label": label, class: key }, ...axes.map((axis) => make("option", { value: axis.name }, axis.label)));
      select.addEventListener("change", () => set({ [key]: select.value, zoom: null }));
      return axes.length > 1 ? [make("label", {}, `${label} `, select)] : [];
    };
    const toggle = (text, key, title) => {
      const button = make("button", { type: "button", "data-key": key, title }, text);
      button.addEventListener("click", () => set({ [key]: !state[key], zoom: key.startsWith("log") ? null : state.zoom }));
      return button;
    };
    const hasSeeds = series.some((own) => Object.values(own.y).some((numbers) => numbers.seeds));
    const buttons = [toggle("log x", "logX", "logarithmic x axis"), toggle("log y", "logY", "logarithmic y axis"),
      ...(hasSeeds ? [toggle("seeds", "seeds", "every seed instead of the band")] : []), ...(series.length > 1 ? [toggle("panels", "panels", "a panel for each series")] : [])];
    const reset = make("button", { type: "button", class: "reset" }, "whole range");
    reset.addEventListener("click", () => set({ zoom: null }));
    const legend = all.map((n) => {
      const stroke = { stroke: `var(--n, ${series[n].light})`, "stroke-width": 2.5, "stroke-dasharray": series[n].dash.join(" ") || "none" };
      const sample = series[n].joined ? make("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" }, make("line", { x1: 0, y1: 6, x2: 28, y2: 6, ...stroke })) : make("i", {}, "●");
      sample.style.setProperty("--n", colorOf(n));
      const button = make("button", { type: "button", "aria-pressed": "true" }, sample, make("span", {}, series[n].label), " ", make("span", { class: "quiet" }, series[n].details));
      button.addEventListener("click", () => {
        if (!hidden.delete(n)) hidden.add(n);
        button.setAttribute("aria-pressed", String(!hidden.has(n)));
        hover(null);
        draw();
      });
      return button;
    });
    if (series.some((own) => own.diverged !== null || own.crosses.length)) legend.push(make("span", {}, "× diverged"));
    const plot = make("div", { class: "plot" }, canvas, line, box, tip);
    root.prepend(make("div", { class: "live" }, make("div", { class: "controls" }, ...choice("y", data.y, "y"), ...choice("x", data.x, "x"), ...buttons, reset), plot, make("div", { class: "legend" }, ...legend)));
    root.classList.add("is-live");
    canvas.setAttribute("aria-label", `${root.dataset.title}: ${series.map((own) => own.label).join(", ")}. ${root.dataset.caption} The table of results has the final values.`);

    // Pointer: hover shows values, drag zooms, a double click shows the whole range.
    canvas.addEventListener("pointerdown", (event) => { const panel = event.button === 0 && event.pointerType !== "touch" && panelAt(event); drag = panel ? { panel, x: event.offsetX, y: event.offsetY } : null; });
    canvas.addEventListener("pointermove", (event) => {
      hover(event);
      if (!drag) return;
      const [x, y] = inPanel(event);
      box.hidden = false;
      Object.assign(box.style, { left: `${Math.min(x, drag.x)}px`, top: `${Math.min(y, drag.y)}px`, width: `${Math.abs(x - drag.x)}px`, height: `${Math.abs(y - drag.y)}px` });
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!drag) return;
      const [x, y] = inPanel(event), { panel, x: x0, y: y0 } = drag, rise = (a, b) => a < b ? [a, b] : [b, a];
      drag = null;
      box.hidden = true;
      if (Math.abs(x - x0) < 6) return;
      // a flat drag zooms along x only
      const ys = Math.abs(y - y0) < 12 ? [panel.y.low, panel.y.high] : rise(panel.y.back(y), panel.y.back(y0));
      set({ zoom: { x: rise(panel.x.back(x0), panel.x.back(x)), y: ys } });
    });
    const inPanel = (event) => [clamp(event.offsetX, drag.panel.left, drag.panel.right), clamp(event.offsetY, drag.panel.top, drag.panel.bottom)];
    canvas.addEventListener("pointerleave", () => { hover(null); drag = null; box.hidden = true; });
    canvas.addEventListener("dblclick", () => set({ zoom: null }));
    dark.addEventListener("change", () => { all.forEach((n) => legend[n].firstChild.style.setProperty("--n", colorOf(n))); draw(); });
    const joined = series.filter((own) => own.joined).length;
    state.panels = joined > MANY && joined <= MOST_PANELS;
    press();
    resize();
    new ResizeObserver(resize).observe(canvas);
  }

  // Without a script, or if it fails, the picture that is there stays.
  for (const root of document.querySelectorAll("figure.curves")) start(root);
  document.documentElement.dataset.opened = String(Math.round(performance.now()));
