// Times in local time on hover, and ages.

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
// A service that replays candles has a clock of its own.
const SKEW_MS = Number(document.body.dataset.now) - Date.now();
const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60]];

/** Text of an age, as the server writes it. */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  for (const [unit, length] of UNITS) {
    if (seconds >= 2 * length || (unit === "min" && seconds >= length)) return `${Math.floor(seconds / length)} ${unit}`;
  }
  return `${seconds} s`;
}

/** Give each time below a node its local time as a hint; write ages anew. */
export function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    if (!element.title && !Number.isNaN(time.valueOf())) element.title = `${LOCAL.format(time)} local time`;
    if (element.dataset.age) element.textContent = age(Date.now() + SKEW_MS - Number(element.dataset.age));
  }
}
