// The chart of a market: candles; each member's votes; probabilities; volatility against its gate.

import {
  CandlestickSeries, CrosshairMode, HistogramSeries, LineSeries, LineStyle, LineType, createChart, createSeriesMarkers,
} from "./vendor/lightweight-charts.mjs";
import { colour } from "./colours.js";

const ACTIONS = ["SELL", "HOLD", "BUY"];
const COLOURS = ["sell", "hold", "buy"];
const SHORT = { xgboost: "xgb", lightgbm: "lgbm" };
const BAR_PIXELS = 8;
const LABEL_PIXELS = 80; // the names of lines, at the right of the newest bar

const place = document.getElementById("chart");
const readout = document.getElementById("readout");
const failure = document.getElementById("chart-error");

let chart;
let shown;

/** Draw everything anew, at the part of the time axis that is looked at. */
function draw(data, range) {
  chart?.remove();
  shown = data;
  chart = createChart(place, options());
  const candles = addCandles(data);
  let pane = 1;
  if (data.actions) {
    if (Object.keys(data.forecasts).length) addForecasts(data, pane++);
    else addVotes(data, pane++);
    addProbabilities(data, pane++);
    addVolatility(data, pane++);
  }
  const heights = [8, 3.2, 2, 1.6];
  chart.panes().forEach((each, number) => each.setStretchFactor(heights[number]));
  if (data.trades.length || data.position) addTrades(candles, data);
  else markSignals(candles, data);
  chart.timeScale().setVisibleLogicalRange(range ?? newestBars(data.time.length));
  chart.subscribeCrosshairMove((moved) => describe(moved.logical ?? data.time.length - 1));
  describe(data.time.length - 1);
}

function newestBars(bars) {
  const shownBars = Math.max(40, Math.floor(place.clientWidth / BAR_PIXELS));
  const free = shownBars * LABEL_PIXELS / place.clientWidth;
  return { from: Math.max(0, bars - shownBars + free), to: bars + free };
}

function options() {
  return {
    autoSize: true,
    // The logo brings a style element, which the policy refuses: the page's foot has the notice and the link instead.
    layout: {
      attributionLogo: false, background: { color: "transparent" }, textColor: colour("muted"), fontSize: 11,
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("strong-line") },
    },
    grid: { vertLines: { color: colour("line", 0.5) }, horzLines: { color: colour("line", 0.5) } },
    crosshair: { mode: CrosshairMode.Normal },
    rightPriceScale: { borderColor: colour("line"), minimumWidth: 64 },
    timeScale: { borderColor: colour("line"), timeVisible: true, secondsVisible: false },
    localization: { locale: "en-GB" },
  };
}

function addCandles(data) {
  const series = chart.addSeries(CandlestickSeries, {
    upColor: colour("buy"), wickUpColor: colour("buy"), downColor: colour("sell"), wickDownColor: colour("sell"),
    borderVisible: false, priceFormat: priceFormat(data.close),
  });
  series.setData(data.time.map((time, n) => (
    { time, open: data.open[n], high: data.high[n], low: data.low[n], close: data.close[n] }
  )));
  return series;
}

/** As many digits as a price of this size needs. */
function priceFormat(values) {
  const digits = Math.min(9, Math.max(1, 4 - Math.floor(Math.log10(Math.max(...values.slice(-200))))));
  return { type: "price", precision: digits, minMove: 10 ** -digits };
}

/** A strip a member: the colour is its vote, the height its score. */
function addVotes(data, pane) {
  const members = Object.entries(data.members);
  members.forEach(([name, votes], number) => {
    const base = members.length - 1 - number;
    const series = chart.addSeries(HistogramSeries, {
      base, title: SHORT[name] ?? name, priceLineVisible: false, color: colour("hold"),
      priceFormat: { type: "custom", formatter: () => "", minMove: 0.01 },
      autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: members.length } }),
    }, pane);
    series.setData(data.time.map((time, n) => (votes.actions[n] === null ? { time } : {
      time, value: base + 0.9 * votes.scores[n] / 100, color: colour(COLOURS[votes.actions[n]], 0.85),
    })));
  });
}

/** The returns that the members of a stack predict. */
function addForecasts(data, pane) {
  const percent = { type: "custom", formatter: (value) => `${value.toFixed(2)} %`, minMove: 0.0001 };
  const colours = ["accent", "warn", "hold", "buy", "sell"];
  Object.entries(data.forecasts).forEach(([name, values], number) => {
    addLine(pane, SHORT[name] ?? name, data.time, values, colours[number % colours.length], percent);
  });
}

/** The probabilities of SELL and BUY; without calibration the confidence, with the floor of an action. */
function addProbabilities(data, pane) {
  const percent = { type: "custom", formatter: (value) => `${value.toFixed(0)} %`, minMove: 1 };
  const fixed = () => ({ priceRange: { minValue: 0, maxValue: 100 } });
  const lines = data.probabilities
    ? [["P(buy)", data.probabilities.buy, "buy"], ["P(sell)", data.probabilities.sell, "sell"]]
    : [["confidence", data.confidence, "accent"]];
  for (const [title, values, name] of lines) {
    const series = addLine(pane, title, data.time, values, name, percent);
    series.applyOptions({ autoscaleInfoProvider: fixed });
    if (!data.probabilities && data.floor !== null) addLimit(series, data.floor, "floor");
  }
}

function addVolatility(data, pane) {
  const percent = { type: "custom", formatter: (value) => `${value.toFixed(2)} %`, minMove: 0.01 };
  const series = addLine(pane, "volatility", data.time, data.volatility, "accent", percent);
  const most = Math.max(...data.volatility.filter((value) => value !== null));
  // A gate far above the line would press it flat; then the page's tile names it alone.
  if (data.volatility_limit !== null && most > data.volatility_limit / 3) {
    addLimit(series, data.volatility_limit, "gate");
    const range = { minValue: 0, maxValue: 1.1 * Math.max(most, data.volatility_limit) };
    series.applyOptions({ autoscaleInfoProvider: () => ({ priceRange: range }) });
  }
}

function addLine(pane, title, times, values, name, priceFormat) {
  const series = chart.addSeries(LineSeries, {
    title, color: colour(name), lineWidth: 1.5, priceLineVisible: false, priceFormat,
  }, pane);
  series.setData(times.map((time, n) => (values[n] === null ? { time } : { time, value: values[n] })));
  return series;
}

function addLimit(series, price, title) {
  series.createPriceLine({
    price, title, color: colour("warn"), lineStyle: LineStyle.Dashed, lineWidth: 1, axisLabelVisible: false,
  });
}

/** Mark where a BUY or SELL begins. */
function markSignals(candles, data) {
  if (!data.actions) return;
  const markers = [];
  data.actions.forEach((action, n) => {
    if (action === null || action === 1 || action === data.actions[n - 1]) return;
    const buys = action === 2;
    markers.push({
      time: data.time[n], position: buys ? "belowBar" : "aboveBar", shape: buys ? "arrowUp" : "arrowDown",
      color: colour(COLOURS[action]),
    });
  });
  createSeriesMarkers(candles, markers);
}

/** Entries and exits of the paper account, with stop and target while a position was held. */
function addTrades(candles, data) {
  const markers = [];
  const stops = new Map();
  const targets = new Map();
  for (const trade of data.trades) {
    const long = trade.side === "long";
    markers.push({
      time: trade.entry_time, position: long ? "belowBar" : "aboveBar", shape: long ? "arrowUp" : "arrowDown",
      color: colour(long ? "buy" : "sell"), text: trade.side,
    }, {
      time: trade.exit_time, position: long ? "aboveBar" : "belowBar", shape: "circle", size: 0.6,
      color: colour(trade.net_usd > 0 ? "buy" : "sell"), text: `${trade.net_usd > 0 ? "+" : ""}${trade.net_usd.toFixed(2)}`,
    });
    for (const time of data.time) {
      if (time < trade.entry_time || (time >= trade.exit_time && time > trade.entry_time)) continue;
      if (trade.stop !== null) stops.set(time, trade.stop);
      if (trade.target !== null) targets.set(time, trade.target);
    }
  }
  addLevels(data.time, stops, "sell");
  addLevels(data.time, targets, "buy");
  if (data.position) {
    const long = data.position.side === "long";
    markers.push({
      time: data.position.entry_time, position: long ? "belowBar" : "aboveBar", shape: long ? "arrowUp" : "arrowDown",
      color: colour(long ? "buy" : "sell"), text: data.position.side,
    });
    const levels = [["entry", "entry_price", "accent"], ["stop", "stop", "sell"], ["target", "target", "buy"],
      ["liquidation", "liquidation_price", "warn"]];
    for (const [title, key, name] of levels) {
      if (data.position[key] === null) continue;
      candles.createPriceLine({
        price: data.position[key], title, color: colour(name), lineStyle: LineStyle.Dashed, lineWidth: 1,
      });
    }
  }
  const first = data.time[0];
  createSeriesMarkers(candles, markers.filter((each) => each.time >= first).sort((a, b) => a.time - b.time));
}

/** A dotted level at the bars that have one. */
function addLevels(times, levels, name) {
  const series = chart.addSeries(LineSeries, {
    color: colour(name, 0.75), lineWidth: 1, lineStyle: LineStyle.Dotted, lineType: LineType.WithSteps,
    priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false, autoscaleInfoProvider: () => null,
  });
  // Lines go on over bars without a level: there they wait, unseen, at the level that comes next.
  let next;
  const points = times.toReversed().map((time) => {
    const level = levels.get(time);
    next = level ?? next;
    if (next === undefined) return { time };
    return level === undefined ? { time, value: next, color: "transparent" } : { time, value: level };
  });
  series.setData(points.toReversed());
}

/** One line about a bar: prices, the decision, and each vote. */
function describe(number) {
  const n = Math.round(number);
  if (!(n >= 0 && n < shown.time.length)) return;
  const time = new Date(shown.time[n] * 1_000).toISOString().slice(0, 16).replace("T", " ");
  const [open, high, low, close] = [shown.open, shown.high, shown.low, shown.close].map((values) => significant(values[n]));
  const parts = [time, `O ${open} H ${high} L ${low} C ${close}`];
  const action = shown.actions?.[n] ?? null;
  if (action !== null) parts.push(`${ACTIONS[action]} ${shown.confidence[n]} %`);
  for (const [name, votes] of Object.entries(shown.members)) {
    if (votes.actions[n] !== null) parts.push(`${SHORT[name] ?? name} ${ACTIONS[votes.actions[n]]} ${votes.scores[n]}`);
  }
  readout.textContent = parts.join(" · ");
}

function significant(value) {
  return value >= 1_000 ? value.toFixed(1) : value.toPrecision(5);
}

async function load() {
  const range = chart?.timeScale().getVisibleLogicalRange();
  try {
    const response = await fetch(place.dataset.source, { headers: { Accept: "application/json" } });
    const found = await response.json();
    if (!response.ok) throw new Error(`${found.error.found}. ${found.error.remedy}`);
    failure.hidden = true;
    // The view follows the newest bar if it was in sight.
    const follows = range && shown && range.to >= shown.time.length - 1;
    const moved = follows ? found.time.length - shown.time.length : 0;
    draw(found, range && { from: range.from + moved, to: range.to + moved });
  } catch (error) {
    failure.hidden = false;
    failure.textContent = `The chart could not be loaded: ${error.message}`;
  }
}

document.getElementById("symbol").addEventListener("change", (event) => event.target.form.submit());
document.addEventListener("quorate:scheme", () => shown && draw(shown, chart.timeScale().getVisibleLogicalRange()));
document.addEventListener("news", load);
load();
