// Lines over time: every element with data-plots names the address of its data, and each .plot in it one of the plots.
//
// A plot is {time: [s], unit, level, series: [{label, colour, values, low, high, dash, fill}]}; low and high are the ends of
// an interval, drawn as a band; dash is the name of a stroke.

import { colour } from "./colours.js";

const SVG = "http://www.w3.org/2000/svg";
const UNITS = {
  usd: (value) => value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  share: (value) => `${(100 * value).toFixed(1)} %`,
};
// Strokes by name: width and pattern.
const STROKES = { dashed: [1.5, [6, 4]], dotted: [1.75, [2, 4]], dashdot: [1.5, [8, 3, 2, 3]], thin: [1, []] };
const drawn = new Map();

function draw(place, plot) {
  drawn.get(place)?.destroy();
  place.replaceChildren();
  const legend = legendOf(place, plot);
  const format = UNITS[plot.unit];
  describe(legend, plot, plot.time.length - 1, format); // before its height is measured
  const [data, series, bands] = columns(plot);
  const axis = {
    stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui",
  };
  drawn.set(place, new window.uPlot({
    width: place.clientWidth, height: place.clientHeight - legend.offsetHeight, series, bands, legend: { show: false },
    axes: [{ ...axis, size: 30, values: (_, ticks) => ticks.map((time, n) => tick(time, ticks[n - 1])) },
      { ...axis, size: 76, values: (_, ticks) => ticks.map(format) }],
    cursor: { drag: { x: true, y: false } },
    hooks: {
      drawAxes: [(chart) => drawLevel(chart, plot.level)],
      setCursor: [(chart) => describe(legend, plot, chart.cursor.idx ?? plot.time.length - 1, format)],
    },
  }, data, place));
}

/** Columns of data, their styles, and the bands between the ends of intervals. */
function columns(plot) {
  const data = [plot.time];
  const series = [{}];
  const bands = [];
  for (const line of plot.series.toReversed()) { // the first is drawn last, above the others
    if (line.low) {
      const edge = { stroke: colour(line.colour, 0.3), width: 1, points: { show: false } };
      series.push(edge, edge);
      data.push(line.high, line.low);
      bands.push({ series: [series.length - 2, series.length - 1], fill: colour(line.colour, 0.14) });
    }
    const [width, dash] = STROKES[line.dash] ?? [1.9, []];
    series.push({
      stroke: colour(line.colour), width, dash,
      fill: line.fill ? colour(line.colour, 0.16) : undefined, points: { show: plot.time.length < 3 },
    });
    data.push(line.values);
  }
  return [data, series, bands];
}

/** Names of the lines above a plot; their values at the cursor come in later. */
function legendOf(place, plot) {
  const list = document.createElement("ul");
  list.className = "legend";
  list.append(document.createElement("li"));
  for (const line of plot.series) {
    const entry = document.createElement("li");
    entry.append(swatchOf(line), `${line.label} `, document.createElement("strong"));
    list.append(entry);
  }
  place.append(list);
  return list;
}

/** A short piece of a line, as it is drawn. */
function swatchOf(line) {
  const swatch = document.createElementNS(SVG, "svg");
  const stroke = document.createElementNS(SVG, "line");
  const [width, dash] = STROKES[line.dash] ?? [1.9, []];
  const attributes = { x1: 0, y1: 5, x2: 24, y2: 5, "stroke-width": width, "stroke-dasharray": dash.join(" ") };
  for (const [name, value] of Object.entries(attributes)) stroke.setAttribute(name, value);
  swatch.setAttribute("class", "stroke");
  swatch.setAttribute("viewBox", "0 0 24 10");
  swatch.setAttribute("aria-hidden", "true");
  stroke.setAttribute("stroke", colour(line.colour));
  swatch.append(stroke);
  return swatch;
}

function describe(legend, plot, n, format) {
  const [time, ...entries] = legend.children;
  time.textContent = moment(plot.time[n]);
  entries.forEach((entry, number) => {
    const line = plot.series[number];
    const shown = (value) => (value === null ? "—" : format(value));
    const within = line.low && line.low[n] !== null ? ` (${shown(line.low[n])} to ${shown(line.high[n])})` : "";
    entry.lastElementChild.textContent = shown(line.values[n]) + within;
  });
}

function drawLevel(chart, level) {
  if (level === undefined) return;
  const y = chart.valToPos(level, "y", true);
  const { left, top, width, height } = chart.bbox;
  if (y < top || y > top + height) return;
  const context = chart.ctx;
  context.save();
  context.strokeStyle = colour("hold");
  context.setLineDash([2, 4]);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + width, y);
  context.stroke();
  context.restore();
}

/** Text of a tick of the time axis: the day where it changes, else the hour. */
function tick(time, before) {
  const [day, hour] = moment(time).split(" ");
  return before !== undefined && moment(before).startsWith(day) ? hour : day.slice(5);
}

function moment(time) {
  return new Date(time * 1_000).toISOString().slice(0, 16).replace("T", " ");
}

const found = new Map(); // element with data-plots -> its data

async function load(group) {
  const failure = group.querySelector(".chart-error");
  try {
    const response = await fetch(group.dataset.plots, { headers: { Accept: "application/json" } });
    const data = await response.json();
    if (!response.ok) throw new Error(`${data.error.found}. ${data.error.remedy}`);
    failure.hidden = true;
    found.set(group, data);
    drawGroup(group);
  } catch (error) {
    failure.hidden = false;
    failure.textContent = `The plots could not be loaded: ${error.message}`;
  }
}

function drawGroup(group) {
  const data = found.get(group);
  for (const place of group.querySelectorAll(".plot")) {
    const plot = data?.[place.dataset.plot];
    place.classList.toggle("empty-plot", !plot || plot.time.length < 2);
    if (plot && plot.time.length > 1) draw(place, plot);
  }
}

const groups = [...document.querySelectorAll("[data-plots]")];
const drawAll = () => groups.forEach(drawGroup);
groups.forEach(load);
document.addEventListener("quorate:scheme", drawAll);
document.addEventListener("news", () => groups.forEach(load));
let resized;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(drawAll, 150);
});
