  // Painting on a canvas. A panel is { left, top, right, bottom, x, y }, with a scale for each axis.

  function clipTo(c, panel) {
    c.save();
    c.beginPath();
    c.rect(panel.left, panel.top - 1, panel.right - panel.left + 1, panel.bottom - panel.top + 2);
    c.clip();
  }

  // The pixels of a line; there is a gap where a number is missing. Far outside, canvases lose digits.
  function trace(shape, panel, xs, ys) {
    let joined = false;
    for (let i = 0, n = Math.min(xs.length, ys.length); i < n; i++) {
      const px = panel.x.at(xs[i]), py = panel.y.at(ys[i]);
      if (!Number.isFinite(px) || Number.isNaN(py)) { joined = false; continue; }
      shape[joined ? "lineTo" : "moveTo"](clamp(px, -1e5, 1e5), clamp(py, -1e5, 1e5));
      joined = true;
    }
  }

  function paintAxes(c, panel, colors, { ticks, labels, tried }) {
    Object.assign(c, { lineWidth: 1, strokeStyle: colors.grid, fillStyle: colors.grey, textBaseline: "top", textAlign: "center" });
    c.beginPath();
    for (const tick of tried.length ? apart(tried, panel.x, 48) : ticksOf(panel.x, ticks[0])) {
      const px = Math.round(panel.x.at(tick)) + 0.5;
      c.moveTo(px, panel.top);
      c.lineTo(px, panel.bottom);
      // the panel at the right begins with its own label
      if (labels[0] && (labels[2] || px < panel.right - 12)) c.fillText(show(tick), px, panel.bottom + 6);
    }
    Object.assign(c, { textAlign: "right", textBaseline: "middle" });
    for (const tick of ticksOf(panel.y, ticks[1])) {
      const py = Math.round(panel.y.at(tick)) + 0.5;
      c.moveTo(panel.left, py);
      c.lineTo(panel.right, py);
      if (labels[1]) c.fillText(show(tick), panel.left - 6, py);
    }
    c.stroke();
    c.strokeStyle = colors.grey;
    c.strokeRect(panel.left + 0.5, panel.top + 0.5, panel.right - panel.left, panel.bottom - panel.top);
  }

  function paintBand(c, panel, xs, [low, high], color) {
    const shape = new Path2D(), places = [];
    for (let i = 0, n = Math.min(xs.length, low.length); i < n; i++) if (Number.isFinite(high[i]) && Number.isFinite(panel.x.at(xs[i]))) places.push(i);
    // on a logarithmic axis, a band that reaches zero goes on to the lower edge
    const py = (value) => clamp(panel.y.log && value <= 0 ? panel.bottom + 2 : panel.y.at(value), -1e5, 1e5);
    for (const i of places) shape.lineTo(panel.x.at(xs[i]), py(high[i]));
    for (const i of places.reverse()) shape.lineTo(panel.x.at(xs[i]), py(low[i]));
    Object.assign(c, { fillStyle: color, globalAlpha: 0.18 });
    c.fill(shape);
    c.globalAlpha = 1;
  }

  function lineOf(panel, xs, ys) {
    const shape = new Path2D();
    trace(shape, panel, xs, ys);
    return shape;
  }

  const paintLine = (c, panel, xs, ys, style) => paintShape(c, lineOf(panel, xs, ys), style);

  function paintShape(c, shape, { color, dash = [], width = 2, alpha = 1 }) {
    Object.assign(c, { strokeStyle: color, lineWidth: width, lineJoin: "round", globalAlpha: alpha });
    c.setLineDash(dash);
    c.stroke(shape);
    c.setLineDash([]);
    c.globalAlpha = 1;
  }

  // The shapes of draw/marks.rs: circle, square, triangle, diamond, triangle upside down.
  function paintMark(c, [px, py], mark, color, edge, r = 4) {
    const shape = new Path2D(), corners = [
      [], [[-r, -r], [r, -r], [r, r], [-r, r]], [[0, -1.2 * r], [1.2 * r, r], [-1.2 * r, r]],
      [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]], [[-1.2 * r, -r], [1.2 * r, -r], [0, 1.2 * r]]][mark];
    for (const [x, y] of corners) shape.lineTo(px + x, py + y);
    if (mark === 0) shape.arc(px, py, r, 0, 2 * Math.PI);
    shape.closePath();
    Object.assign(c, { fillStyle: color, strokeStyle: edge, lineWidth: 1 });
    c.fill(shape);
    c.stroke(shape);
  }

  // Marks at equal distances, shifted for each line, so that lines of equal values do not hide each other.
  function paintMarks(c, panel, xs, ys, { mark, color, edge, n, lines }) {
    const COUNT = 6;
    for (let k = 0; k < COUNT; k++) {
      const px = panel.left + ((k + (n + 0.5) / lines) / COUNT) * (panel.right - panel.left), x = panel.x.back(px);
      let i = nearest(xs, x);
      if (xs[i] > x) i--;
      const share = (px - panel.x.at(xs[i])) / (panel.x.at(xs[i + 1]) - panel.x.at(xs[i]));
      const py = panel.y.at(ys[i]) + share * (panel.y.at(ys[i + 1]) - panel.y.at(ys[i]));
      if (share >= 0 && share <= 1 && py > panel.top && py < panel.bottom) paintMark(c, [px, py], mark, color, edge);
    }
  }

  // Texts at the ends of lines, each { x, y, text, color }. Behind the right edge they are moved apart. A line that ends
  // earlier has its text beside its end, if there is space.
  function paintEnds(c, panel, ends, colors) {
    const GAP = 14, isEarly = (end) => end.x < panel.right - 12, late = ends.filter((end) => !isEarly(end));
    late.sort((a, b) => a.y - b.y);
    late.forEach((end, i) => { end.at = Math.max(clamp(end.y, panel.top, panel.bottom), i ? late[i - 1].at + GAP : -Infinity); });
    let limit = panel.bottom + GAP / 2;
    for (const end of [...late].reverse()) limit = (end.at = Math.min(end.at, limit)) - GAP;
    Object.assign(c, { textAlign: "left", textBaseline: "middle", fillStyle: colors.foreground });
    for (const { at, y, text, color } of late) {
      Object.assign(c, { strokeStyle: color, lineWidth: 1.5 });
      c.beginPath();
      c.moveTo(panel.right + 2, clamp(y, panel.top, panel.bottom));
      c.lineTo(panel.right + 12, at);
      c.stroke();
      c.fillText(text, panel.right + 16, at);
    }
    const taken = [];
    Object.assign(c, { strokeStyle: colors.background, lineWidth: 4, lineJoin: "round" });
    for (const { x, y, text } of ends.filter(isEarly)) {
      const left = x + 8, right = left + c.measureText(text).width, middle = clamp(y, panel.top + GAP / 2, panel.bottom - GAP / 2);
      if (right > panel.right || taken.some((other) => left < other.right && other.left < right && Math.abs(other.middle - middle) < GAP)) continue;
      taken.push({ left, right, middle });
      c.strokeText(text, left, middle);
      c.fillText(text, left, middle);
    }
  }

