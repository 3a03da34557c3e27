"use strict";

// The linked figure: equity, drawdown and the price of one market. All have one time axis: what is zoomed or pointed at in
// one panel is zoomed or pointed at in all. Drag to zoom, double-click for all.
(() => {
  const { figure, trades, currency } = report.data;
  const place = document.getElementById("figure");
  if (!place || !figure) return;
  const { colour, moment } = report;
  const DAY = 86_400;
  const CROWDED = 14; // pixels that a trade needs
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const RIVALS = ["c1", "c2", "c3", "c4", "c5", "c6"];
  const last = figure.time.length - 1;
  const picker = document.getElementById("market");
  const readout = document.getElementById("readout");
  const shown = new Set();
  const charts = {};
  let range = [figure.start_time, figure.time[last]];
  let log = wide();

  const money = (value) => (value == null ? "n/a" : `${value.toLocaleString("en-US", { maximumFractionDigits: 0 })} ${currency}`);
  const compact = (value) => value.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 5 });
  const percent = (value, digits = 1) => (value == null ? "n/a" : `${(100 * value).toFixed(digits)} %`);
  const price = (value) => (value == null ? "n/a" : Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 12 }));

  /** Equity that grows or falls by a large factor needs a logarithmic axis, which cannot show 0. */
  function wide() {
    const values = Object.values(figure.equity).flat().filter((value) => value !== null);
    return Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 4;
  }

  /** Texts of the time axis: month and year, day and month, or the hour, by the distance of the ticks. */
  function days(_, ticks, axis, space, step) {
    return ticks.map((seconds) => {
      const [day, hour] = moment(seconds).split(" ");
      const month = MONTHS[Number(day.slice(5, 7)) - 1];
      if (step >= 28 * DAY) return `${month} ${day.slice(0, 4)}`;
      return step < DAY && hour !== "00:00" ? hour : `${Number(day.slice(8))} ${month}`;
    });
  }

  function axes(format, bottom) {
    const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const narrow = innerWidth < 720;
    return [
      { ...axis, size: bottom ? 30 : 6, space: 64, values: bottom ? days : () => [] },
      { ...axis, size: narrow ? 56 : 70, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : format(tick))) },
    ];
  }

  /** A panel in place of an earlier one. */
  function panel(name, columns, series, format, more = {}) {
    charts[name]?.destroy();
    const element = document.getElementById(`panel-${name}`);
    const hooks = more.hooks ?? {};
    charts[name] = new uPlot({
      width: element.clientWidth, height: element.clientHeight, legend: { show: false }, padding: [8, 30, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
      series: [{}, ...series], bands: more.bands, axes: axes(format, name === "price"),
      scales: { x: { range: (_, low, high) => [low ?? range[0], high ?? range[1]] }, y: more.y ?? {} },
      cursor: { drag: { x: true, y: false }, sync: { key: "run", setSeries: false }, points: { size: 6 } },
      hooks: { ...hooks, setScale: [(chart, key) => key === "x" && follow(chart)], setCursor: [(chart) => point(chart)] },
    }, [figure.time, ...columns], element);
    charts[name].setScale("x", { min: range[0], max: range[1] });
  }

  const line = (name, width = 1.5, more = {}) => ({ stroke: colour(name), width, points: { show: last < 2 }, spanGaps: true, ...more });
  const edge = () => ({ stroke: "transparent", width: 0, points: { show: false }, spanGaps: true });

  function drawEquity() {
    const columns = [];
    const series = [];
    const bands = [];
    if (figure.band) {
      columns.push(figure.band.high, figure.band.low);
      series.push(edge(), edge());
      bands.push({ series: [1, 2], fill: colour("hold", 0.16) });
    }
    Object.keys(figure.rivals).forEach((name, number) => {
      columns.push(figure.rivals[name]);
      series.push(line(RIVALS[number % RIVALS.length], 1.2, { show: shown.has(name) }));
    });
    if (figure.equity.hold) {
      columns.push(figure.equity.hold);
      series.push(line("hold", 1.5, { dash: [6, 4] }));
    }
    columns.push(figure.equity.account);
    series.push(line("accent", 2.2));
    panel("equity", columns, series, compact, { bands, y: log ? { distr: 3 } : {} });
  }

  function drawDrawdown() {
    const columns = [figure.drawdown.account];
    const series = [line("bad", 1.4, { fill: colour("bad", 0.16) })];
    if (figure.drawdown.hold) {
      columns.unshift(figure.drawdown.hold);
      series.unshift(line("hold", 1.2, { dash: [6, 4] }));
    }
    panel("drawdown", columns, series, (value) => percent(value, 0));
  }

  function drawPrice() {
    const found = figure.prices[picker.value];
    panel("price", [found.high, found.low, found.close], [edge(), edge(), line("text", 1.3, { spanGaps: false })], price, {
      bands: [{ series: [1, 2], fill: colour("hold", 0.22) }], hooks: { draw: [drawTrades] },
    });
  }

  const ofMarket = () => trades.rows.filter((trade) => trades.symbols[trade.symbol] === picker.value);

  /**
   * Entries as triangles that point to the side, exits as crosses, a line between them; green for gains, red for losses.
   * Where the panel shows more trades than can be told apart, a dot for each entry.
   */
  function drawTrades(chart) {
    const { ctx, bbox } = chart;
    const size = 5 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = 1.6 * devicePixelRatio;
    const inView = ofMarket().filter((trade) => trade.exit >= range[0] && trade.entry <= range[1]);
    const crowded = inView.length > bbox.width / devicePixelRatio / CROWDED;
    for (const trade of inView) {
      const [x, y] = [chart.valToPos(trade.entry, "x", true), chart.valToPos(trade.entry_price, "y", true)];
      const [right, end] = [chart.valToPos(trade.exit, "x", true), chart.valToPos(trade.exit_price, "y", true)];
      ctx.strokeStyle = ctx.fillStyle = colour(trade.net > 0 ? "good" : "bad");
      ctx.beginPath();
      if (crowded) {
        ctx.arc(x, y, size / 2, 0, 2 * Math.PI);
        ctx.fill();
        continue;
      }
      ctx.moveTo(x, y);
      ctx.lineTo(right, end);
      ctx.moveTo(right - size * 0.7, end - size * 0.7);
      ctx.lineTo(right + size * 0.7, end + size * 0.7);
      ctx.moveTo(right - size * 0.7, end + size * 0.7);
      ctx.lineTo(right + size * 0.7, end - size * 0.7);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x - size, y + 2 * size * trade.side);
      ctx.lineTo(x + size, y + 2 * size * trade.side);
      ctx.fill();
    }
    ctx.restore();
  }

  let following = false;

  /** Give the other panels the range of this one. */
  function follow(chart) {
    if (following) return;
    const { min, max } = chart.scales.x;
    if (min == null || (min === range[0] && max === range[1])) return;
    range = [min, max];
    following = true;
    for (const other of Object.values(charts)) if (other !== chart) other.setScale("x", { min, max });
    following = false;
    press();
  }

  function zoom(from, to) {
    const [begin, end] = [figure.start_time, figure.time[last]];
    const length = Math.min(to - from, end - begin);
    const left = Math.min(Math.max(from, begin), end - length);
    following = true;
    range = [left, left + length];
    for (const chart of Object.values(charts)) chart.setScale("x", { min: range[0], max: range[1] });
    following = false;
    press();
  }

  function press() {
    for (const button of document.querySelectorAll("[data-days]")) {
      const days = Number(button.dataset.days);
      const whole = range[1] - range[0] >= figure.time[last] - figure.start_time - 1;
      button.setAttribute("aria-pressed", days ? Math.abs(range[1] - range[0] - days * DAY) < 1 : whole);
    }
  }

  /** Name the values at the cursor, and the trades near it; without a cursor, the last values. */
  function point(chart) {
    const n = chart.cursor.idx ?? last;
    const parts = [["", moment(figure.time[n])], ["account", money(figure.equity.account[n])]];
    if (figure.equity.hold) parts.push(["holding", money(figure.equity.hold[n])]);
    if (figure.band) parts.push(["random entries", `${money(figure.band.low[n])} to ${money(figure.band.high[n])}`]);
    for (const name of shown) parts.push([name, money(figure.rivals[name][n])]);
    parts.push(["drawdown", percent(figure.drawdown.account[n])]);
    if (picker.value) parts.push([picker.value, price(figure.prices[picker.value].close[n])]);
    const near = chart.cursor.idx == null || !picker.value ? [] : ofMarket().filter((trade) => {
      const left = charts.price?.valToPos(trade.entry, "x");
      const right = charts.price?.valToPos(trade.exit, "x");
      return chart.cursor.left > left - 7 && chart.cursor.left < right + 7;
    });
    readout.replaceChildren(...parts.flatMap(([name, value]) => {
      const strong = document.createElement("b");
      strong.textContent = value;
      return [name ? `${name} ` : "", strong, " · "];
    }).slice(0, -1));
    for (const trade of near.slice(0, 3)) {
      const text = `${trade.side > 0 ? "long" : "short"} ${price(trade.entry_price)} to ${price(trade.exit_price)}, ` +
        `${percent(trade.net_return, 2)}, closed by ${trades.reasons[trade.reason]}`;
      readout.append(document.createElement("br"), text);
    }
  }

  function draw() {
    drawEquity();
    drawDrawdown();
    if (picker.value) drawPrice();
    point(charts.equity);
  }

  document.getElementById("rivals")?.addEventListener("change", (event) => {
    if (event.target.checked) shown.add(event.target.value);
    else shown.delete(event.target.value);
    drawEquity();
  });
  const scale = document.getElementById("log");
  scale.checked = log;
  scale.addEventListener("change", () => { log = scale.checked; drawEquity(); });
  picker.addEventListener("change", () => { drawPrice(); point(charts.equity); });
  for (const button of document.querySelectorAll("[data-days]")) {
    const days = Number(button.dataset.days);
    button.hidden = days * DAY >= figure.time[last] - figure.start_time;
    button.addEventListener("click", () => (
      days ? zoom(range[1] - days * DAY, range[1]) : zoom(figure.start_time, figure.time[last])
    ));
  }
  for (const button of document.querySelectorAll("[data-move]")) {
    const part = Number(button.dataset.move);
    button.addEventListener("click", () => zoom(...range.map((at) => at + part * (range[1] - range[0]))));
  }

  /** Show a trade of the table in the figure. */
  report.show = (trade) => {
    picker.value = trades.symbols[trade.symbol];
    drawPrice();
    const around = Math.max(2 * DAY, 2 * (trade.exit - trade.entry));
    zoom(trade.entry - around, trade.exit + around);
    place.scrollIntoView({ behavior: "auto", block: "start" });
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  press();
  // A panel can be resized without the window: when a phone is rotated or a scroll bar appears.
  const follower = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = charts[target.id.slice("panel-".length)];
      const size = { width: target.clientWidth, height: target.clientHeight };
      if (chart && size.width && (chart.width !== size.width || chart.height !== size.height)) chart.setSize(size);
    }
  });
  for (const element of document.querySelectorAll(".panel")) follower.observe(element);
})();
