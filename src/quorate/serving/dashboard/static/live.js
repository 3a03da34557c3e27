// News from the service: one stream of events a page. Parts of the page listen to "news" on the document, which comes at
// most twice a second, however many events a replay makes.

const PAUSE_MS = 500;
// After an answer that is an error, as long as this, then twice as long each time up to the most.
const RETRY_MS = 1_000;
const RETRY_MOST_MS = 30_000;
// Signals, fills and closed trades come with the bar of their account; "skipped" and "dropped" come with any kinds.
const KINDS = ["candles", "bar", "guard", "ladder", "drift", "bench", "select", "panel", "measured", "bundle"];
const ADDRESS = `/events?kinds=${KINDS.join()}`;

let waiting;

function tell() {
  if (waiting) return;
  waiting = setTimeout(() => {
    waiting = undefined;
    document.dispatchEvent(new CustomEvent("news"));
  }, PAUSE_MS);
}

/** Follow the stream of events while the page is seen, and show whether it is open. */
export function startLive() {
  const state = document.getElementById("live-state");
  let source, again, opened = false, retry_ms = RETRY_MS;

  function show(open) {
    state.hidden = false;
    state.classList.toggle("light-on", open);
    state.lastElementChild.textContent = open ? "Live" : "Reconnecting";
  }

  function open() {
    source = new EventSource(ADDRESS);
    source.addEventListener("open", () => {
      show(true);
      retry_ms = RETRY_MS;
      if (opened) tell(); // what happened meanwhile
      opened = true;
    });
    source.addEventListener("error", () => {
      show(false);
      // The browser itself tries again where no answer came, and gives up where it was an error, as of a busy service.
      if (source.readyState !== EventSource.CLOSED) return;
      again = setTimeout(open, retry_ms);
      retry_ms = Math.min(2 * retry_ms, RETRY_MOST_MS);
    });
    for (const kind of [...KINDS, "skipped", "dropped"]) source.addEventListener(kind, tell);
  }

  function close() {
    clearTimeout(again);
    source?.close();
  }

  // A browser opens six connections to one host: tabs in the background leave theirs to others.
  document.addEventListener("visibilitychange", () => {
    close();
    if (!document.hidden) open();
  });
  if (!document.hidden) open();
}
