// The switch between light and dark. The choice is a cookie, so that the server draws the next page in it at once.

const COOKIE = "quorate-scheme";
const ONE_YEAR_S = 31_536_000;

/** The scheme in which the page is drawn now. */
export function scheme() {
  const chosen = document.documentElement.dataset.scheme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** Show the switch and let it work. */
export function startScheme() {
  const button = document.getElementById("scheme");
  button.hidden = false;
  button.addEventListener("click", () => {
    const wanted = scheme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.scheme = wanted;
    document.cookie = `${COOKIE}=${wanted}; path=/; max-age=${ONE_YEAR_S}; samesite=strict`;
    document.dispatchEvent(new CustomEvent("quorate:scheme"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("quorate:scheme"));
  });
}
