// News from the service: one stream of events a page. Parts of the page listen to "news" on the document, which comes at
// most twice a second, however many events a replay makes.

const PAUSE_MS = 500;
// Signals, fills and closed trades come with the bar of their account.
const KINDS = ["candles", "bar", "guard", "ladder", "bundle", "skipped", "dropped"];

let waiting;

function tell() {
  if (waiting) return;
  waiting = setTimeout(() => {
    waiting = undefined;
    document.dispatchEvent(new CustomEvent("news"));
  }, PAUSE_MS);
}

/** Follow the stream of the element #live, and show whether it is open. */
export function startLive() {
  const stream = document.getElementById("live");
  const state = document.getElementById("live-state");
  const show = (open) => {
    state.hidden = false;
    state.classList.toggle("light-on", open);
    state.lastElementChild.textContent = open ? "Live" : "Reconnecting";
  };
  for (const kind of KINDS) stream.addEventListener(kind, tell);
  let opened = false;
  stream.addEventListener("htmx:sse:after:connection", () => {
    show(true);
    if (opened) tell(); // what happened meanwhile
    opened = true;
  });
  stream.addEventListener("htmx:sse:error", () => show(false));
  stream.addEventListener("htmx:sse:close", () => show(false));
}
