// What every page needs: local times, ages that go on, confirmations, news of the service, and the switch of the colour scheme.

import { startDialog } from "./dialog.js";
import { startLive } from "./live.js";
import { startScheme } from "./scheme.js";
import { showTimes } from "./times.js";

startScheme();
startDialog();
startLive();
showTimes(document);
document.addEventListener("htmx:after:swap", () => showTimes(document));
setInterval(() => showTimes(document), 5_000);
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
