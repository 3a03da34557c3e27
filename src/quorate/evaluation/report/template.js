"use strict";

// Colours of plots are names of CSS variables; plots are redrawn when the colour scheme changes.
const plots = JSON.parse(document.getElementById("plots").textContent);

function coloured(value, style) {
  if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((item) => coloured(item, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
  }
  return value;
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const [name, plot] of Object.entries(plots)) {
    const { data, layout } = coloured(plot, style);
    Plotly.react(`plot-${name}`, data, layout, { displayModeBar: false });
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();

// A plot's element can be resized without the window: when a phone is rotated or a scroll bar appears. Plotly's own
// resizing waits a tenth of a second, in which a page that is being printed or captured shows plots cut off.
const follow = new ResizeObserver((places) => {
  for (const { target, contentRect: { width, height } } of places) Plotly.relayout(target, { width, height });
});
for (const name of Object.keys(plots)) follow.observe(document.getElementById(`plot-${name}`));
