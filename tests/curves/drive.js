// Operates the curves on this page as a reader would, and compares what they show with the numbers in #expected: for each
// series and measurement, the mean over the seeds of each epoch, computed from points.csv. Then appends a pre element with
// id "driven": ok, or why it failed.
(async () => {
  const root = document.querySelector("figure.curves"), state = root && root.dataset;
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const check = (holds, why) => { if (!holds) throw new Error(why); };
  const find = (selector) => root.querySelector(selector);
  const number = (text) => Number(text.replaceAll("−", "-"));
  const close = (a, b) => Math.abs(a - b) <= 6e-4 * Math.max(Math.abs(a), Math.abs(b)) + 1e-12;
  const view = () => state.view.split(",").map(Number), plot = () => state.plot.split(",").map(Number);
  const isLog = (key) => find(`[data-key=${key}]`).getAttribute("aria-pressed") === "true";

  function point(type, left, top) {
    const canvas = find("canvas"), box = canvas.getBoundingClientRect();
    canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + left, clientY: box.top + top, button: 0, pointerType: "mouse", bubbles: true }));
  }
  function set(selector, value) {
    const control = find(selector);
    control.value = value;
    check(control.value === value, `${selector} has no ${value}`);
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
  // The pixel of an x in the first panel.
  function pixel(x) {
    const [left, , right] = plot(), [low, high] = view(), f = isLog("logX") ? Math.log : (v) => v;
    return left + ((f(x) - f(low)) / (f(high) - f(low))) * (right - left);
  }
  // Hovers at an x of the axis and compares every value with those of this epoch.
  function compare(x, epoch, measure) {
    const [, top, , bottom] = plot();
    point("pointermove", pixel(x), (top + bottom) / 2);
    check(state.hover, `nothing shown at ${x}`);
    const shown = JSON.parse(state.hover), visible = state.visible.split("|");
    check(close(shown.x, x), `hovering at ${x} shows ${shown.x}`);
    check(Object.keys(shown.values).length === visible.length, `${Object.keys(shown.values).length} values for ${visible.length} series`);
    for (const label of visible) {
      const expected = data.means[measure][label][epoch], found = number(shown.values[label]);
      check(close(expected, found), `${label}, ${measure}, epoch ${epoch}: shows ${found}, the file has ${expected}`);
      check(find(".tip").textContent.includes(shown.values[label]), `the tip lacks ${shown.values[label]}`);
    }
  }

  let verdict = "ok", data;
  try {
    check(root, "no figure.curves");
    data = JSON.parse(document.getElementById("expected").textContent);
    const labels = Object.keys(data.means[data.metric]);
    check(root.classList.contains("is-live"), "the script did not start");
    check(getComputedStyle(find(".static")).display === "none", "the static picture is still shown");
    check(JSON.stringify(state.visible.split("|").sort()) === JSON.stringify([...labels].sort()), `starts with ${state.visible}`);
    check(Number(state.panels) === (labels.length > 6 ? labels.length : 1), `${state.panels} panels for ${labels.length} series`);
    if (labels.length > 6) find("[data-key=panels]").click();
    check(state.panels === "1", "the panels stay");

    for (const epoch of [1, 7, 20]) compare(epoch, epoch, data.metric);
    for (const measure of ["test_loss", "train_error"]) {
      set("select.y", measure);
      for (const epoch of [1, 13]) compare(epoch, epoch, measure);
    }

    set("select.x", "step");
    compare(data.steps[13], 13, "train_error");
    set("select.x", "seconds");
    check(view()[1] > 100 && state.visible.split("|").length === labels.length, `in seconds the view is ${state.view}`);
    set("select.x", "epoch");
    set("select.y", data.metric);

    const off = state.visible.split("|")[0], legend = [...root.querySelectorAll(".legend button")].find((button) => button.textContent.startsWith(off));
    legend.click();
    check(!state.visible.split("|").includes(off) && legend.getAttribute("aria-pressed") === "false", `${off} stays`);
    compare(7, 7, data.metric);
    legend.click();
    check(state.visible.split("|").includes(off), `${off} does not come back`);

    const whole = state.view, [left, top, right, bottom] = plot();
    point("pointerdown", left + 0.25 * (right - left), top + 0.1 * (bottom - top));
    point("pointermove", left + 0.75 * (right - left), top + 0.9 * (bottom - top));
    check(!find(".box").hidden, "the drag is not shown");
    point("pointerup", left + 0.75 * (right - left), top + 0.9 * (bottom - top));
    const [a, b, c, d] = whole.split(",").map(Number), zoomed = view();
    check(close(zoomed[0], a + 0.25 * (b - a)) && close(zoomed[1], a + 0.75 * (b - a)), `zoomed from ${whole} to ${state.view}`);
    check(zoomed[2] > c && zoomed[3] < d, `zoomed from ${whole} to ${state.view}`);
    compare(10, 10, data.metric);
    find("canvas").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    check(state.view === whole, `after a double click the view is ${state.view}`);

    find("[data-key=logY]").click();
    check(isLog("logY") && view()[2] > 0 && state.view !== whole, `logarithmic, the view is ${state.view}`);
    compare(7, 7, data.metric);
    find("[data-key=logX]").click();
    check(view()[0] > 0, `with a logarithmic x axis it starts at ${view()[0]}`);
    compare(7, 7, data.metric);
    find("[data-key=seeds]").click();
    compare(7, 7, data.metric);
    point("pointerleave", 0, 0);
    check(find(".tip").hidden && state.hover === "", "the tip stays after the pointer has left");
    await sleep(20);
  } catch (error) {
    verdict = `failed: ${error.message}`;
  }
  const result = document.createElement("pre");
  result.id = "driven";
  result.textContent = verdict;
  document.body.append(result);
})();
