// What every page needs: local times, ages that go on, and the switch of the colour scheme.

import { startScheme } from "./scheme.js";
import { showTimes } from "./times.js";

startScheme();
showTimes(document);
document.addEventListener("htmx:after:swap", () => showTimes(document));
setInterval(() => showTimes(document), 5_000);
