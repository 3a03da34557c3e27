// Confirmations in a dialog: a link with data-dialog opens the page that it names, without its head, above this one.
// Escape and links with data-close end it. Without a script the link simply opens the page.

const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");

async function open(link) {
  const response = await fetch(link.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const part = page.getElementById("confirm");
  // A login that has ended, or an error: its own page says so.
  if (!part) {
    location.assign(link.href);
    return;
  }
  content.replaceChildren(document.adoptNode(part));
  dialog.showModal();
  content.querySelector("[autofocus]")?.focus();
}

/** Let links on the page open the dialog. */
export function startDialog() {
  if (!dialog) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-dialog]");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      open(link).catch(() => location.assign(link.href));
    }
    if (event.target.closest?.("#dialog a[data-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });
}
