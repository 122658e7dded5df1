// Operates the player on this page as a reader would. Then appends a pre element with id "driven": ok, or why it failed.
(async () => {
  const root = document.getElementById("player"), state = root && root.dataset;
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
  const check = (holds, why) => { if (!holds) throw new Error(why); };
  async function until(holds, why) {
    for (let tries = 0; tries < 100 && !holds(); tries++) await sleep(50);
    check(holds(), why);
  }
  function set(selector, value, event) {
    const control = root.querySelector(selector);
    control.value = value;
    control.dispatchEvent(new Event(event, { bubbles: true }));
  }
  function mouse(type, left, top) {
    const canvas = root.querySelector("canvas"), box = canvas.getBoundingClientRect();
    canvas.dispatchEvent(new MouseEvent(type, { clientX: box.left + left, clientY: box.top + top, bubbles: true }));
  }

  let verdict = "ok";
  try {
    check(root, "no #player");
    const data = JSON.parse(document.getElementById("player-data").textContent), first = data.paths[0];
    const last = Math.max(...data.paths.map((path) => path.points.length - 1));
    const button = root.querySelector("button"), labels = data.paths.map((path) => path.label);
    check(last > 10, "the data has too few steps for this driver");
    check(state.playing === "false" && state.step === `${last}`, `starts at step ${state.step}, playing ${state.playing}`);
    check(state.visible === labels.join(","), `starts with only ${state.visible}`);

    button.click();
    check(state.step === "0", "play at the end does not start again");
    await until(() => state.playing === "true" && Number(state.step) > 0, "play does not advance");
    check(button.getAttribute("aria-label") === "pause", "the button is not labelled pause");
    button.click();
    const paused = state.step;
    await sleep(200);
    check(state.playing === "false" && state.step === paused, "pause does not stop");
    check(button.getAttribute("aria-label") === "play", "the button is not labelled play");

    set("input[type=range]", 10, "input");
    check(state.step === "10", `the range set to 10 shows step ${state.step}`);
    check(root.querySelector(".step").textContent === `step 10 of ${last}`, "the step text is wrong");

    const box = root.querySelector(".legend input[data-path='0']");
    box.click();
    check(state.visible === labels.slice(1).join(","), `with the first path off, visible is ${state.visible}`);
    box.click();
    check(state.visible === labels.join(","), `with the first path on again, visible is ${state.visible}`);
    const all = root.querySelector(".legend input.all");
    all.click();
    check(state.visible === "", "all / none does not hide all");
    all.click();
    check(state.visible === labels.join(","), "all / none does not show all");

    // The other paths are hidden during hovering, because one of them may pass through the same pixel.
    for (const other of [...root.querySelectorAll(".legend input[data-path]")].slice(1)) other.click();
    const [left, top, right, bottom] = state.plot.split(",").map(Number), [x0, x1, y0, y1] = data.surface.window;
    const k = Math.min(10, first.points.length - 1), [x, y] = first.points[k];
    if (x >= x0 && x <= x1 && y >= y0 && y <= y1) {
      mouse("mousemove", left + ((x - x0) / (x1 - x0)) * (right - left), bottom - ((y - y0) / (y1 - y0)) * (bottom - top));
      check(state.hover.includes(first.label), `hovering shows "${state.hover}"`);
      mouse("mouseleave", 0, 0);
      check(state.hover === "", "the tooltip stays after the pointer has left");
    }
    for (const other of [...root.querySelectorAll(".legend input[data-path]")].slice(1)) other.click();

    set("select", "4", "change");
    root.querySelector("canvas").dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
    check(state.playing === "true", "space does not play");
    const started = performance.now();
    await until(() => state.playing === "false", "does not stop at the end");
    check(state.step === `${last}`, `stopped at step ${state.step}`);
    check(performance.now() - started < 4000, "4× is too slow");
  } catch (error) {
    verdict = `failed: ${error.message}`;
  }
  const result = document.createElement("pre");
  result.id = "driven";
  result.textContent = verdict;
  document.body.append(result);
})();
