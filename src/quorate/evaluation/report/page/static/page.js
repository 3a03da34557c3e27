"use strict";

// What the page's scripts share: its data, colours as the canvas needs them, and tables that are sorted by a click.
const report = (() => {
  const element = document.getElementById("data");
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  /** The colour of a CSS variable in the scheme of the page, such as rgb(29 95 196 / 0.5). */
  function colour(name, alpha = 1) {
    probe.style.color = `color-mix(in srgb, var(--${name}) ${100 * alpha}%, transparent)`;
    return getComputedStyle(probe).color;
  }

  /** Make the column heads of a table buttons that call `sort` with the column and whether it ascends. */
  function sortable(table, sort) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.textContent) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") === "descending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(column, ascending);
      });
    });
  }

  /** The number at the start of a cell; its text where there is none. */
  function valueOf(cell) {
    const text = (cell.firstChild?.textContent ?? "").replaceAll(",", "").replace("$", "");
    const number = parseFloat(text);
    return text === "n/a" || text === "" ? -Infinity : Number.isNaN(number) ? text : number;
  }

  function compared(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    sortable(table, (column, ascending) => {
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compared(valueOf(a.cells[column]), valueOf(b.cells[column])) * (ascending ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  }

  // A link into a folded section opens it.
  function unfold() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const fold = target && target.querySelector("details.fold");
    if (fold) fold.open = true;
  }
  addEventListener("hashchange", unfold);
  unfold();

  const data = element && JSON.parse(element.textContent);
  if (data?.trades) {
    const { names, rows } = data.trades;
    data.trades.rows = rows.map((row) => Object.fromEntries(row.map((value, number) => [names[number], value])));
  }
  const moment = (seconds) => new Date(seconds * 1_000).toISOString().slice(0, 16).replace("T", " ");
  return { data, colour, sortable, compared, moment };
})();
