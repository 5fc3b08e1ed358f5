"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("table");
  if (!table) return;
  const SVG = "http://www.w3.org/2000/svg";
  const VERDICTS = ["power law", "no power law (edge)", "random-like", "undecided", "too few eigenvalues"];
  const metric = Object.fromEntries(data.metrics.map(([name], place) => [name, place]));
  const number = (matrix, name) => matrix.numbers[metric[name]];

  // Elements. Texts are only ever set as text.
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }
  const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  const named = (text) => html("bdi", {}, text);

  function text(value) {
    if (value === null || value === undefined) return "–";
    if (Array.isArray(value)) return value.map(text).join(" to ");
    if (typeof value !== "number") return String(value);
    if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
    const size = Math.abs(value);
    return size >= 1e5 || size < 1e-3 ? value.toExponential(3) : String(Number(value.toPrecision(4)));
  }
  function middle(name, length) {
    if (name.length <= length) return name;
    const half = Math.floor(length / 2);
    return name.slice(0, half) + "…" + name.slice(name.length - (length - half - 1));
  }

  // Scales and ticks.
  function linearTicks(low, high) {
    const raw = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((times) => times * power).find((candidate) => candidate >= raw);
    const ticks = [];
    for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12); k++) {
      ticks.push([k * step, text(Number((k * step).toPrecision(12)))]);
    }
    return ticks;
  }
  const raised = (power) => "10" + String(power).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
  function logTicks(low, high) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const last = Math.floor(Math.log10(high) + 1e-9);
    if (last - first >= 2) {
      const step = Math.ceil((last - first + 1) / 6);
      const ticks = [];
      for (let power = first; power <= last; power += step) {
        ticks.push([10 ** power, power >= -2 && power <= 3 ? text(10 ** power) : raised(power)]);
      }
      return ticks;
    }
    const ticks = [];
    for (let power = first - 1; power <= last; power++) {
      for (const times of [1, 2, 5]) {
        const value = times * 10 ** power;
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push([value, text(Number(value.toPrecision(3)))]);
      }
    }
    return ticks.length >= 2 ? ticks : linearTicks(low, high);
  }
  function scale(ends, from, to, log) {
    let [low, high] = ends;
    if (log && high < low * 1.05) [low, high] = [low / 1.05, high * 1.05];
    if (!log && high - low < 1e-9 * Math.max(Math.abs(high), 1e-300)) [low, high] = [low - 1, high + 1];
    const at = log ? Math.log : (value) => value;
    const unit = (to - from) / (at(high) - at(low));
    const place = (value) => from + (at(value) - at(low)) * unit;
    return { low, high, place, ticks: log ? logTicks(low, high) : linearTicks(low, high) };
  }
  const round = (value) => value.toFixed(1);

  function frame({ label, x, y, width, height, xTitle, yTitle }) {
    const left = 62, bottom = height - 44, top = 10, right = width - 14;
    const X = scale(x.ends, left, right, x.log);
    const Y = scale(y.ends, bottom, top, y.log);
    const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    for (const [value, name] of Y.ticks) {
      const at = round(Y.place(value));
      root.append(svg("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }));
      root.append(svg("text", { x: left - 6, y: Number(at) + 4, "text-anchor": "end" }, name));
    }
    for (const [value, name] of x.named === false ? [] : X.ticks) {
      const at = round(X.place(value));
      root.append(svg("line", { class: "axis", x1: at, x2: at, y1: bottom, y2: bottom + 5 }));
      root.append(svg("text", { x: at, y: bottom + 18, "text-anchor": "middle" }, name));
    }
    root.append(svg("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }));
    root.append(svg("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, xTitle));
    const middleOfY = (top + bottom) / 2;
    root.append(svg("text", { x: 14, y: middleOfY, "text-anchor": "middle", transform: `rotate(-90 14 ${middleOfY})` }, yTitle));
    const inside = (value, of) => Math.min(Math.max(value, of.low), of.high);
    return { root, X, Y, top, bottom, left, right,
      px: (value) => round(X.place(inside(value, X))), py: (value) => round(Y.place(inside(value, Y))) };
  }
  function line(plot, points, className) {
    const seen = points.filter(([x, y]) => y >= plot.Y.low * (1 - 1e-9) && x >= plot.X.low * (1 - 1e-9) && x <= plot.X.high * (1 + 1e-9));
    if (seen.length > 1) plot.root.append(svg("path", { class: className, d: "M" + seen.map(([x, y]) => `${plot.px(x)} ${plot.py(y)}`).join("L") }));
  }
  function dots(plot, points, className, radius) {
    for (const [x, y] of points) plot.root.append(svg("circle", { class: className, cx: plot.px(x), cy: plot.py(y), r: radius }));
  }
  function upright(plot, value, className) {
    if (value < plot.X.low || value > plot.X.high) return;
    plot.root.append(svg("line", { class: className, x1: plot.px(value), x2: plot.px(value), y1: plot.top, y2: plot.bottom }));
  }
  function key(entries) {
    const sample = (kind) => kind === "dot" || kind === "known"
      ? svg("circle", { class: kind, cx: 14, cy: 6, r: kind === "dot" ? 3 : 4 })
      : kind === "edge" ? svg("rect", { class: "edge", x: 0, y: 0, width: 28, height: 12 })
      : svg("line", { class: kind, x1: 0, x2: 28, y1: 6, y2: 6 });
    return html("ul", { class: "key" }, ...entries.map(([kind, words]) =>
      html("li", {}, svg("svg", { viewBox: "0 0 28 12", "aria-hidden": "true" }, sample(kind)), words)));
  }
  const grid = (low, high, count) => Array.from({ length: count }, (_, k) => low * (high / low) ** (k / (count - 1)));

  // The fitted law from xmin on, as shares of all positive eigenvalues.
  function fitted(matrix, kind) {
    const [alpha, xmin, xmax, tail] = ["alpha", "xmin", "xmax", "tail_size"].map((name) => number(matrix, name));
    if (xmin === null || alpha === null) return null;
    const size = number(matrix, "num_eigenvalues") - number(matrix, "num_zero");
    const end = xmax ?? number(matrix, "lambda_max");
    const error = number(matrix, "alpha_stderr");
    const words = `power law, α = ${text(alpha)}` + (error === null ? "" : ` ± ${text(error)}`) + `, tail of ${tail}`;
    if (kind === "cutoff" || !(end > xmin)) return { xmin, words: words + (kind === "cutoff" ? " (its cutoff is not in the report: no line)" : ""), above: null };
    const mass = kind === "bounded" ? 1 - (end / xmin) ** (1 - alpha) : 1;
    return {
      xmin, end, words,
      above: (x) => (tail / size) * ((x / xmin) ** (1 - alpha) - (1 - mass)) / mass,
      density: (x) => (tail / size) * ((alpha - 1) / xmin) * (x / xmin) ** -alpha / mass,
    };
  }
  const xminWords = (law) => ["xmin", `xmin = ${text(law.xmin)}`];

  function survival(matrix, kind) {
    const law = fitted(matrix, kind);
    const size = number(matrix, "num_eigenvalues") - number(matrix, "num_zero");
    const last = number(matrix, "lambda_max");
    if (!(size > 0 && last > 0)) return null;
    let points, entries, first;
    if (matrix.spectrum) {
      const [all, ranks, values] = matrix.spectrum;
      points = values.map((value, place) => [value, data.ranks[ranks][place] / all]);
      first = values[0];
      entries = [["dot", `${points.length === all ? "" : `${points.length} of `}${all} positive eigenvalues`]];
    } else {
      points = [[last, 1 / size]];
      if (law && number(matrix, "tail_size")) points.unshift([law.xmin, number(matrix, "tail_size") / size]);
      const least = number(matrix, "lambda_min");
      if (least > 0) points.unshift([least, 1]);
      first = Math.min(...points.map(([x]) => x), ...(matrix.mp && matrix.mp[2] > 0 ? [matrix.mp[2]] : []));
      entries = [["known", "what the report knows of the eigenvalues: least, xmin, largest"]];
    }
    const words = `Survival function: share of ${size} positive eigenvalues at or above λ; λmax ${text(last)}` + (law ? `; ${law.words}` : "; no fit");
    const plot = frame({ label: words, x: { ends: [first, last], log: true }, y: { ends: [0.6 / size, 1], log: true },
      width: 460, height: 330, xTitle: "eigenvalue λ", yTitle: "share at or above λ" });
    if (matrix.mp && !matrix.spectrum) {
      const [, , low, high] = matrix.mp;
      if (high > plot.X.low && low < plot.X.high) {
        plot.root.append(svg("rect", { class: "edge", x: plot.px(low), y: plot.top, width: Math.max(1, plot.px(high) - plot.px(low)), height: plot.bottom - plot.top }));
        entries.push(["edge", `Marchenko-Pastur bulk, ${text(low)} to ${text(high)}`]);
      }
    }
    dots(plot, points, matrix.spectrum ? "dot" : "known", matrix.spectrum ? 2.6 : 5);
    if (law) {
      upright(plot, law.xmin, "xmin");
      if (law.above) line(plot, grid(law.xmin, law.end, 60).map((x) => [x, law.above(x)]), "law");
      entries.push(["law", law.words], xminWords(law));
    }
    return html("figure", {}, html("figcaption", {}, matrix.spectrum ? "Survival function" : "Survival function; a saved report holds no eigenvalues"), plot.root, key(entries));
  }

  function density(matrix, kind) {
    if (!matrix.spectrum) return null;
    const [size, , values, low, high, counts] = matrix.spectrum;
    const ratio = (high / low) ** (1 / counts.length);
    const points = counts.map((count, k) => {
      const from = low * ratio ** k;
      return [from * Math.sqrt(ratio), count / (size * from * (ratio - 1))];
    }).filter(([, y]) => y > 0);
    const ys = points.map(([, y]) => y);
    const ends = [0.5 * Math.min(...ys), 1.6 * Math.max(...ys)];
    const law = fitted(matrix, kind);
    const bulk = matrix.mp;
    const words = `Density of ${size} positive eigenvalues in ${counts.length} bins of equal ratio` + (bulk ? `; Marchenko-Pastur edge ${text(bulk[3])}, ${bulk[6]} above the edge` : "; no Marchenko-Pastur bulk");
    const plot = frame({ label: words, x: { ends: [low, high], log: true }, y: { ends, log: true },
      width: 460, height: 330, xTitle: "eigenvalue λ", yTitle: "density" });
    const entries = [["dot", `density in ${counts.length} bins`]];
    if (bulk) {
      const [variance, Q, minus, plus, edge, inBulk, spikes] = bulk;
      const from = Math.max(minus, low);
      const curve = Array.from({ length: 120 }, (_, k) => from * (plus / from) ** (Math.sin((k / 119) * Math.PI / 2) ** 2))
        .map((x) => [x, (inBulk / size) * Q * Math.sqrt(Math.max(0, (x - minus) * (plus - x))) / (2 * Math.PI * variance * x)]);
      if (from < plus) line(plot, curve, "bulk");
      entries.push(["bulk", `Marchenko-Pastur bulk, λ₊ = ${text(plus)}`]);
      if (spikes) {
        for (const value of values.filter((x) => x > edge)) {
          plot.root.append(svg("line", { class: "spike", x1: plot.px(value), x2: plot.px(value), y1: plot.bottom - 10, y2: plot.bottom }));
        }
        entries.push(["spike", `${spikes} above the edge ${text(edge)}`]);
      }
    }
    dots(plot, points, "dot", 3);
    if (law) {
      upright(plot, law.xmin, "xmin");
      if (law.density) line(plot, grid(law.xmin, law.end, 60).map((x) => [x, law.density(x)]), "law");
      entries.push(["law", law.words], xminWords(law));
    }
    return html("figure", {}, html("figcaption", {}, "Density of the spectrum"), plot.root, key(entries));
  }

  // Alpha by depth.
  function mark(x, y, verdict) {
    const kind = VERDICTS.indexOf(verdict) + 1;
    const shapes = ["M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z", "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z", "M-3.6-3.6H3.6V3.6H-3.6Z",
      "M0-4.8L4.6 3.6H-4.6Z", "M0-5L5 0L0 5L-5 0Z", "M-4-4L4 4M-4 4L4-4"];
    return svg("path", { class: `point p${kind}`, "stroke-width": 1.8, d: shapes[kind], transform: `translate(${x} ${y})` });
  }
  function overview(report, place, width) {
    const found = [];
    data.rows.forEach((places, row) => {
      const layer = places[place] === null ? null : report.layers[places[place]];
      for (const matrix of layer ? layer.matrices : []) {
        const alpha = number(matrix, "alpha");
        if (alpha !== null) found.push({ row, alpha, error: number(matrix, "alpha_stderr") ?? 0, verdict: matrix.verdict });
      }
    });
    if (!found.length) return null;
    const sorted = found.map((one) => one.alpha).sort((one, other) => one - other);
    const farthest = Math.max(...found.map((one) => one.alpha + 1.96 * one.error));
    const cap = 1.03 * Math.min(farthest, 3 * sorted[Math.floor(0.75 * (sorted.length - 1))]);
    const beyond = found.filter((one) => one.alpha > cap).length;
    const words = `α of ${found.length} ${found.length === 1 ? "matrix" : "matrices"} by depth, with 95 % intervals; median ${text(sorted[Math.floor(sorted.length / 2)])}, from ${text(sorted[0])} to ${text(sorted[sorted.length - 1])}`;
    const plot = frame({ label: words, x: { ends: [-0.5, data.rows.length - 0.5], named: false }, y: { ends: [Math.min(1, sorted[0]), cap] },
      width, height: 230, xTitle: width < 500 ? "layers, first on the left" : "layers by depth, first on the left", yTitle: "α" });
    for (const one of found) {
      const x = plot.px(one.row);
      const className = `bar p${VERDICTS.indexOf(one.verdict) + 1}`;
      plot.root.append(svg("line", { class: className, x1: x, x2: x, y1: plot.py(one.alpha - 1.96 * one.error), y2: plot.py(one.alpha + 1.96 * one.error) }));
    }
    for (const one of found) {
      const point = mark(plot.px(one.row), plot.py(one.alpha), one.verdict);
      point.append(svg("title", {}, `${middle(nameOf(one.row), 80)}: α = ${text(one.alpha)}, ${one.verdict ?? "no verdict"}`));
      point.dataset.row = one.row;
      point.addEventListener("click", () => choose(one.row, true));
      plot.root.append(point);
    }
    const caption = html("figcaption", {}, "α by depth with 95 % intervals" + (beyond ? `; ${beyond} beyond the axis, at its end` : ""));
    if (data.reports.length > 1) caption.append(": ", named(middle(report.name, 80)));
    return html("figure", {}, caption, plot.root);
  }

  // The table: sorting, filtering, choosing.
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  rows.forEach((row, place) => { row.dataset.place = place; });
  const buttonOf = (place) => rows[place].querySelector("button.name");
  const nameOf = (place) => buttonOf(place).textContent;
  const heads = Array.from(table.tHead.rows[table.tHead.rows.length - 1].cells);
  const collator = new Intl.Collator("en", { numeric: true });
  function valueOf(row, column) {
    const cell = row.cells[column];
    if (!heads[column].classList.contains("n")) return cell.textContent.trim() || null;
    return cell.dataset.key === undefined ? null : Number(cell.dataset.key);
  }
  function sortBy(column) {
    const now = heads[column].getAttribute("aria-sort");
    const next = { none: "ascending", ascending: "descending", descending: "none" }[now];
    heads.forEach((head) => head.setAttribute("aria-sort", "none"));
    heads[column].setAttribute("aria-sort", next);
    const sign = next === "descending" ? -1 : 1;
    const order = (one, other) => {
      const [a, b] = [valueOf(one, column), valueOf(other, column)];
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
    };
    const byPlace = (one, other) => one.dataset.place - other.dataset.place;
    body.append(...[...rows].sort(next === "none" ? byPlace : (one, other) => order(one, other) || byPlace(one, other)));
  }
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => sortBy(column)));

  const byName = document.getElementById("filter-name");
  const byVerdict = document.getElementById("filter-verdict");
  const visibleRows = () => Array.from(body.rows).filter((row) => !row.hidden);
  function filter() {
    const wanted = byName.value.toLowerCase();
    for (const row of rows) {
      const hasVerdict = !byVerdict.value || row.dataset.verdicts.split("|").includes(byVerdict.value);
      row.hidden = !(hasVerdict && nameOf(Number(row.dataset.place)).toLowerCase().includes(wanted));
    }
    const left = visibleRows().length;
    document.getElementById("shown").textContent = left === rows.length ? `${left} layers` : `${left} of ${rows.length} layers`;
  }
  byName.addEventListener("input", filter);
  byVerdict.addEventListener("change", filter);
  byName.form.addEventListener("submit", (event) => event.preventDefault());

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) choose(Number(row.dataset.place), event.target.closest("button") !== null);
  });
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const there = visibleRows();
    const next = there[there.indexOf(event.target.closest("tr")) + step];
    if (next) {
      event.preventDefault();
      next.querySelector("button.name").focus();
    }
  });

  // The panel of one layer.
  const panel = document.getElementById("panel");
  function factsOf(layer, matrix) {
    const facts = [...layer.facts, ...matrix.said, ...layer.warnings.map((words) => ["warning", words])];
    return html("table", { class: "facts" }, html("caption", {}, "What is known of it"),
      html("tbody", {}, ...facts.map(([about, words]) => html("tr", {}, html("th", { scope: "row" }, about), html("td", {}, named(words))))));
  }
  function draw(report, layer, index) {
    const matrix = layer.matrices[index];
    const figures = [survival(matrix, report.law), density(matrix, report.law)].filter((figure) => figure !== null);
    return [html("div", { class: "figures" }, ...figures), factsOf(layer, matrix)];
  }
  function numbersOf(shown) {
    const head = html("tr", {}, html("th", { scope: "col" }, "number"),
      ...shown.map(({ report }) => html("th", { scope: "col", class: "n" }, data.reports.length > 1 ? named(middle(report.name, 40)) : "value")),
      html("th", { scope: "col" }, "meaning"));
    const lines = data.metrics.map(([name, meaning]) => html("tr", {}, html("th", { scope: "row" }, name),
      ...shown.map(({ layer, index }) => html("td", { class: "n" }, text(number(layer.matrices[index], name)))), html("td", {}, meaning)));
    return html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers of the layer" },
      html("table", {}, html("caption", {}, "Numbers, rounded"), html("thead", {}, head), html("tbody", {}, ...lines)));
  }
  function step(words, place) {
    const button = html("button", { type: "button" }, words);
    button.disabled = place === undefined;
    button.addEventListener("click", () => choose(Number(place), true));
    return button;
  }
  function choose(place, moves) {
    rows.forEach((row) => row.classList.remove("chosen"));
    rows.forEach((row, other) => buttonOf(other).removeAttribute("aria-current"));
    rows[place].classList.add("chosen");
    buttonOf(place).setAttribute("aria-current", "true");
    document.querySelectorAll(".point").forEach((point) => point.classList.toggle("chosen", Number(point.dataset.row) === place));
    const shown = data.reports.map((report, k) => ({ report, layer: report.layers[data.rows[place][k]], index: 0 }));
    const known = shown.filter(({ layer }) => layer !== undefined);
    const numbers = html("div", {}, numbersOf(known));
    const columns = shown.map((one) => {
      const column = html("div", { class: "column" });
      if (data.reports.length > 1) column.append(html("h4", {}, named(one.report.name)));
      if (!one.layer) {
        column.append(html("p", { class: "quiet" }, "There is no layer of this name, or it was not analyzed."));
        return column;
      }
      const drawn = html("div", {}, ...draw(one.report, one.layer, 0));
      if (one.layer.matrices.length > 1) {
        const select = html("select", {}, ...one.layer.matrices.map((matrix, index) => html("option", { value: index }, `${matrix.label}: α ${text(number(matrix, "alpha"))}`)));
        select.addEventListener("change", () => {
          one.index = Number(select.value);
          drawn.replaceChildren(...draw(one.report, one.layer, one.index));
          numbers.replaceChildren(numbersOf(known));
        });
        column.append(html("label", {}, `One of ${one.layer.matrices.length} matrices `, select));
      }
      column.append(drawn);
      return column;
    });
    const there = visibleRows();
    const at = there.indexOf(rows[place]);
    const back = html("button", { type: "button" }, "Back to the table");
    back.addEventListener("click", () => { rows[place].scrollIntoView({ block: "nearest" }); buttonOf(place).focus(); });
    const previous = at < 0 ? undefined : there[at - 1]?.dataset.place;
    const next = at < 0 ? undefined : there[at + 1]?.dataset.place;
    panel.replaceChildren(html("h3", { id: "chosen" }, named(nameOf(place))),
      html("div", { class: "steps" }, step("Previous layer", previous), step("Next layer", next), back),
      html("div", { class: "columns" }, ...columns), numbers);
    panel.removeAttribute("aria-label");
    panel.setAttribute("aria-labelledby", "chosen");
    panel.parentElement.classList.add("open");
    if (moves) panel.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  // Drawn in the width that there is, so that its text has the size of other text.
  const overviews = document.getElementById("overview");
  let drawnWidth = 0;
  function drawOverviews() {
    const whole = overviews.clientWidth;
    if (whole === drawnWidth) return;
    drawnWidth = whole;
    const columns = Math.max(1, Math.min(data.reports.length, Math.floor((whole + 24) / 440)));
    const width = Math.max(300, Math.floor(whole / columns - 24));
    overviews.replaceChildren(...data.reports.map((report, place) => overview(report, place, width)).filter((figure) => figure !== null));
  }
  drawOverviews();
  window.addEventListener("resize", drawOverviews);
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll("details:not([open])"));
    closed.forEach((details) => { details.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
})();
