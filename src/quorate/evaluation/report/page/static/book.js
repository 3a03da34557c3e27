"use strict";

// The linked figure of a book: equity, drawdown, exposure by sleeve, weights by market, what the sleeves earned, turnover.
// All panels have one time axis. Drag to zoom, double-click for all.
(() => {
  const { book } = report.data ?? {};
  const place = document.getElementById("book-figure");
  if (!place || !book) return;
  const { colour, moment } = report;
  const DAY = 86_400;
  const WEEK = 7 * DAY;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const last = book.time.length - 1;
  const sleeves = Object.keys(book.exposure);
  const readout = document.getElementById("readout");
  const charts = {};
  let range = [book.time[0], book.time[last]];

  const percent = (value, digits = 1) => (value == null ? "n/a" : `${(100 * value).toFixed(digits)} %`);
  const times = (value) => `${Number(value.toPrecision(3))} x`;
  const checked = (id) => document.getElementById(id).checked;
  const narrow = () => innerWidth < 720;

  /** A colour of the page's scheme mixed with that of its cards: areas that lie on each other stay what they are. */
  function tint(name, share) {
    const probe = document.createElement("span");
    probe.style.color = `color-mix(in srgb, var(--${name}) ${100 * share}%, var(--card))`;
    place.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  /** Texts of the time axis: month and year, or day and month, by the distance of the ticks. */
  function days(_, ticks, axis, space, step) {
    return ticks.map((seconds) => {
      const [day] = moment(seconds).split(" ");
      const month = MONTHS[Number(day.slice(5, 7)) - 1];
      return step >= 28 * DAY ? `${month} ${day.slice(0, 4)}` : `${Number(day.slice(8))} ${month}`;
    });
  }

  function panel(name, columns, series, format, more = {}) {
    charts[name]?.destroy();
    const element = document.getElementById(`panel-${name}`);
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    charts[name] = new uPlot({
      width: element.clientWidth, height: element.clientHeight, legend: { show: false }, padding: [8, 26, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
      series: [{}, ...series],
      axes: [
        { ...axis, size: name === "turnover" ? 30 : 6, space: 64, values: name === "turnover" ? days : () => [] },
        { ...axis, size: narrow() ? 58 : 80, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : format(tick))), ...more.axis },
      ],
      scales: { x: { range: (_, low, high) => [low ?? range[0], high ?? range[1]] }, y: more.y ?? {} },
      cursor: { drag: { x: true, y: false }, sync: { key: "book", setSeries: false }, points: { size: 6, show: !more.plain } },
      hooks: { ...more.hooks, setScale: [(chart, key) => key === "x" && follow(chart)], setCursor: [point] },
    }, [book.time, ...columns], element);
    charts[name].setScale("x", { min: range[0], max: range[1] });
  }

  const line = (name, width = 1.5, more = {}) => ({ stroke: colour(name), width, points: { show: last < 2 }, ...more });

  function shownHoldings() {
    return [...document.querySelectorAll("#holdings input:checked")].map((box) => box.value);
  }

  function drawEquity() {
    const held = checked("alike") ? book.alike : book.holdings;
    const shown = shownHoldings();
    const series = shown.map((name) => line(book.styles[name], 1.4, name === "BTC" ? { dash: [6, 4] } : {}));
    panel("equity", [...shown.map((name) => held[name]), book.equity], [...series, line("accent", 2.2)], times,
      { y: checked("log") ? { distr: 3, range: (_, low, high) => [low / 1.06, high * 1.06] } : {} });
  }

  function drawDrawdown() {
    const columns = [book.drawdown.book];
    const series = [line("bad", 1.4, { fill: colour("bad", 0.16) })];
    if (checked("deep") && book.drawdown.BTC) {
      columns.unshift(book.drawdown.BTC);
      series.unshift(line("hold", 1.2, { dash: [6, 4] }));
    }
    panel("drawdown", columns, series, (value) => percent(value, 0));
  }

  /** Areas on each other, the highest first, and the sum of the weights as a line. */
  function drawExposure() {
    const sums = [];
    sleeves.forEach((name, number) => {
      sums.push(book.exposure[name].map((value, day) => value + (number ? sums[number - 1][day] : 0)));
    });
    const series = sleeves.map((_, number) => ({ ...line(`c${1 + number % 6}`, 0.8), fill: tint(`c${1 + number % 6}`, 0.5) })).reverse();
    panel("exposure", [...sums.reverse(), book.side], [...series, line("text", 1.4)], (value) => percent(value, 0));
  }

  /** A row a market, a cell a week: blue for long, brown for short, the stronger the larger the weight. */
  function drawMarkets() {
    const rows = book.markets.length;
    const full = Math.max(...book.weights.flat().map(Math.abs)) || 1;
    const nothing = book.time.map(() => null);
    const cells = (chart) => {
      const { ctx, bbox } = chart;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      const height = bbox.height / rows;
      book.weights.forEach((weights, row) => weights.forEach((weight, week) => {
        const from = book.weeks[week];
        if (!weight || from + WEEK < range[0] || from > range[1]) return;
        const x = chart.valToPos(from, "x", true);
        const right = chart.valToPos(Math.min(from + WEEK, book.time[last] + DAY), "x", true);
        ctx.globalAlpha = Math.min(1, 0.12 + 0.88 * Math.abs(weight) / full);
        ctx.fillStyle = weight > 0 ? long : short;
        ctx.fillRect(x, bbox.top + row * height + 0.5, right - x, height - 1);
      }));
      ctx.restore();
    };
    const [long, short] = [colour("accent"), colour("c2")];
    panel("markets", [nothing], [{ show: false }], String, {
      plain: true,
      y: { range: [0, rows] },
      axis: {
        splits: () => book.markets.map((_, row) => rows - row - 0.5), values: () => book.markets, grid: { show: false },
        font: `${narrow() ? 11 : 12}px system-ui`,
      },
      hooks: { draw: [cells] },
    });
  }

  function drawEarned() {
    const names = Object.keys(book.earned);
    const series = names.map((_, number) => line(`c${1 + number % 6}`, 1.5));
    panel("earned", [...Object.values(book.earned), book.together], [...series, line("accent", 2.2)], (value) => percent(value, 0));
  }

  const drawTurnover = () => panel("turnover", [book.turnover], [line("muted", 1.2, { fill: colour("hold", 0.14) })], (value) => value.toFixed(1));

  let following = false;

  /** Give the other panels the range of this one. */
  function follow(chart) {
    if (following) return;
    const { min, max } = chart.scales.x;
    if (min == null || (min === range[0] && max === range[1])) return;
    zoom(min, max, chart);
  }

  function zoom(from, to, except) {
    following = true;
    range = [from, to];
    for (const other of Object.values(charts)) if (other !== except) other.setScale("x", { min: from, max: to });
    following = false;
    for (const button of place.querySelectorAll("[data-days]")) {
      const length = Number(button.dataset.days) * DAY || book.time[last] - book.time[0];
      button.setAttribute("aria-pressed", Math.abs(to - from - length) < 1);
    }
  }

  /** Name the values at the cursor; without a cursor, the last ones. */
  function point(chart) {
    const n = chart.cursor.idx ?? last;
    const parts = [["", moment(book.time[n]).slice(0, 10)], ["book", times(book.equity[n])]];
    for (const name of shownHoldings()) parts.push([name, times((checked("alike") ? book.alike : book.holdings)[name][n])]);
    parts.push(["drawdown", percent(book.drawdown.book[n])], ["net weight", percent(book.side[n])]);
    for (const name of sleeves) parts.push([name, percent(book.exposure[name][n])]);
    const week = Math.min(Math.floor((book.time[n] - book.weeks[0]) / WEEK), book.weeks.length - 1);
    const held = book.markets.map((name, row) => [name, book.weights[row][week]]).filter(([, weight]) => weight);
    held.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    for (const [name, weight] of held.slice(0, 4)) parts.push([name, `${weight > 0 ? "+" : ""}${percent(weight)}`]);
    readout.replaceChildren(...parts.flatMap(([name, value]) => {
      const strong = document.createElement("b");
      strong.textContent = value;
      return [name ? `${name} ` : "", strong, " · "];
    }).slice(0, -1));
  }

  function draw() {
    for (const drawn of [drawEquity, drawDrawdown, drawExposure, drawMarkets, drawEarned, drawTurnover]) drawn();
    point(charts.equity);
  }

  for (const id of ["log", "alike"]) document.getElementById(id).addEventListener("change", () => { drawEquity(); point(charts.equity); });
  document.getElementById("deep").addEventListener("change", drawDrawdown);
  document.getElementById("holdings").addEventListener("change", () => { drawEquity(); point(charts.equity); });
  for (const button of place.querySelectorAll("[data-days]")) {
    const length = Number(button.dataset.days) * DAY;
    button.hidden = length >= book.time[last] - book.time[0];
    button.addEventListener("click", () => zoom(length ? book.time[last] - length : book.time[0], book.time[last]));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  zoom(...range);
  const follower = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = charts[target.id.slice("panel-".length)];
      const size = { width: target.clientWidth, height: target.clientHeight };
      if (chart && size.width && (chart.width !== size.width || chart.height !== size.height)) chart.setSize(size);
    }
  });
  for (const element of place.querySelectorAll(".panel")) follower.observe(element);
})();
