// Colours of the stylesheet, as canvases need them: a custom property may hold light-dark(), which only a used colour
// resolves.

const probe = document.createElement("span");
probe.hidden = true;
document.documentElement.append(probe);

/** A colour of the stylesheet by its name, such as "buy", in the scheme of now; opacity from 0 to 1. */
export function colour(name, opacity = 1) {
  probe.style.color = `var(--${name})`;
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}
