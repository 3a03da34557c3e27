"use strict";

// Plots come with names of CSS variables for colours; they are drawn anew when light turns dark.
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
    Plotly.react(`plot-${name}`, data, layout, { displayModeBar: false, responsive: true });
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
