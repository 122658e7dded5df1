  // Numbers, scales and ticks. The functions of this part know nothing of the page.

  // Four characters are a number, as curves/pack.rs writes it: sign, exponent, four digits. All bits set: no value.
  const POWERS = Array.from({ length: 256 }, (_, i) => Number(`1e${i - 128}`));
  function unpack(text) {
    const bytes = atob(text), values = new Float64Array(bytes.length / 3);
    for (let i = 0, at = 0; i < values.length; i++, at += 3) {
      const code = (bytes.charCodeAt(at) << 16) | (bytes.charCodeAt(at + 1) << 8) | bytes.charCodeAt(at + 2);
      const size = (code & 0x3fff) * POWERS[(code >> 14) & 255];
      values[i] = code === 0xffffff ? NaN : (code >> 22) & 1 ? -size : size;
    }
    return values;
  }

  // The numbers of an x axis: packed, written out, or in equal distances.
  function numbersOf(data) {
    if (typeof data === "string") return unpack(data);
    return Array.isArray(data) ? Float64Array.from(data) : Float64Array.from({ length: data.n }, (_, i) => data.from + i * data.by);
  }

  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const minus = (text) => text.replace("e+", "e").replace(/-/g, "−");
  // Four digits, as many as the data have.
  function show(value) {
    const size = Math.abs(value);
    if (!Number.isFinite(value)) return "–";
    return minus(size !== 0 && (size < 1e-3 || size >= 1e5) ? Number(value.toExponential(3)).toExponential() : String(Number(value.toPrecision(4))));
  }
  const showCount = (value) => Number.isInteger(value) ? String(value) : show(value);

  // A scale from [low, high] to pixels [from, to]. Its `back` is the inverse.
  function makeScale(low, high, from, to, log) {
    const f = log ? Math.log : (x) => x, g = log ? Math.exp : (x) => x, a = f(low), b = f(high);
    return { low, high, log, at: (value) => from + ((f(value) - a) / (b - a)) * (to - from), back: (px) => g(a + ((px - from) / (to - from)) * (b - a)) };
  }

  function linearTicks(low, high, atMost) {
    const rough = (high - low) / Math.max(2, atMost), power = 10 ** Math.floor(Math.log10(rough));
    const gap = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power, ticks = [];
    for (let k = Math.ceil(low / gap - 1e-9); k * gap <= high + gap * 1e-9 && ticks.length < 50; k++) ticks.push(Number((k * gap).toPrecision(12)));
    return ticks;
  }

  function logTicks(low, high, atMost) {
    const decades = Math.log10(high / low);
    if (decades < 0.5) return linearTicks(low, high, atMost).filter((tick) => tick > 0);
    const factors = decades < 1.2 ? [1, 1.5, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1], every = Math.max(1, Math.ceil(decades / atMost)), ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      if (power % every === 0) for (const factor of factors) ticks.push(Number(`${factor}e${power}`));
    }
    return ticks.filter((tick) => tick >= low && tick <= high);
  }
  const ticksOf = ({ low, high, log }, atMost) => log ? logTicks(low, high, atMost) : linearTicks(low, high, atMost);

  // Those of these ticks that the scale shows, with at least this many pixels between them.
  function apart(ticks, scale, pixels) {
    const kept = [];
    for (const tick of ticks) {
      const isShown = tick >= scale.low && tick <= scale.high;
      if (isShown && (!kept.length || scale.at(tick) - scale.at(kept[kept.length - 1]) >= pixels)) kept.push(tick);
    }
    return kept;
  }

  // The lowest and the highest of numbers that the scale can show, or null.
  function extent(values, log) {
    let low = Infinity, high = -Infinity;
    for (const value of values) {
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) return null;
    if (low === high) return [low - 0.5 * Math.max(Math.abs(low), 1e-3), high + 0.5 * Math.max(Math.abs(high), 1e-3)].map((end) => log ? Math.max(end, low / 2) : end);
    return [low, high];
  }

  // The place of the number that is nearest to `value`, in numbers that rise. Numbers behind the first NaN are not looked at.
  function nearest(values, value) {
    let low = 0, high = values.length - 1;
    while (high > 0 && Number.isNaN(values[high])) high--;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] <= value) low = middle; else high = middle;
    }
    return Math.abs(values[low] - value) <= Math.abs(values[high] - value) ? low : high;
  }

