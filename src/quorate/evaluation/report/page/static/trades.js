"use strict";

// The table of trades: sorted by any column, filtered by market, side, exit and result, and saved as CSV.
(() => {
  const { trades, currency } = report.data;
  const table = document.getElementById("trade-rows");
  if (!table) return;
  const PAGE = 25;
  const ACTIONS = { S: "SELL", H: "HOLD", B: "BUY" };
  const filters = [...document.querySelectorAll("[data-filter]")];
  let ordered = [...trades.rows];
  let visible = PAGE;

  const sign = (value) => (value > 0 ? "good" : value < 0 ? "bad" : "");
  const signed = (value, digits) => `${value < 0 ? "" : "+"}${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
  const price = (value) => Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 12 });

  function held(trade) {
    const hours = (trade.exit - trade.entry) / 3600;
    return hours < 48 ? `${Number(hours.toFixed(2))} h` : `${Number((hours / 24).toFixed(1))} d`;
  }

  /** What each member voted, in words: codes are the first letter of the action and its score in percent. */
  function vote(trade) {
    const codes = trade.vote ? trade.vote.split(" ") : [];
    const votes = codes.map((code, number) => {
      if (code === "-") return `${trades.members[number]} abstained`;
      const action = ACTIONS[code[0]];
      return action ? `${trades.members[number]} ${action} ${code.slice(1)} %` : `${trades.members[number]} ${code} %`;
    });
    const name = trades.consensus[trade.consensus];
    return [name, votes.join(", ")].filter(Boolean).join(": ");
  }

  const columns = [
    { of: (trade) => trades.symbols[trade.symbol], text: (trade) => [trades.symbols[trade.symbol], trade.side > 0 ? "long" : "short"] },
    { of: (trade) => trade.entry, text: (trade) => [report.moment(trade.entry), `at ${price(trade.entry_price)}`] },
    { of: (trade) => trade.exit, text: (trade) => [report.moment(trade.exit), `at ${price(trade.exit_price)}`] },
    { of: (trade) => trade.exit - trade.entry, text: (trade) => [held(trade)] },
    { of: (trade) => trade.net_return, text: (trade) => [`${signed(100 * trade.net_return, 2)} %`], tone: (trade) => sign(trade.net) },
    { of: (trade) => trade.net, text: (trade) => [signed(trade.net, 2)], tone: (trade) => sign(trade.net) },
    { of: (trade) => trades.reasons[trade.reason], text: (trade) => [trades.reasons[trade.reason]] },
    { of: (trade) => trade.confidence, text: (trade) => [`${(100 * trade.confidence).toFixed(1)} %`] },
    { of: vote, text: (trade) => [vote(trade)], tone: () => "vote" },
  ];
  const names = [...table.tHead.rows[0].cells].map((head) => head.textContent);

  function kept() {
    const wanted = Object.fromEntries(filters.map((filter) => [filter.dataset.filter, filter.value]));
    return ordered.filter((trade) => (
      (!wanted.market || trades.symbols[trade.symbol] === wanted.market)
      && (!wanted.side || trade.side === Number(wanted.side))
      && (!wanted.exit || trades.reasons[trade.reason] === wanted.exit)
      && (!wanted.result || (trade.net > 0) === (wanted.result === "won"))
    ));
  }

  function rowOf(trade) {
    const row = document.createElement("tr");
    columns.forEach((column, number) => {
      const cell = document.createElement(number ? "td" : "th");
      if (number) cell.dataset.label = names[number];
      else cell.scope = "row";
      const [text, below] = column.text(trade);
      if (number || !report.show) cell.append(text);
      else {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.title = "show in the figure";
        button.textContent = text;
        button.addEventListener("click", () => report.show(trade));
        cell.append(button);
      }
      if (below) cell.append(Object.assign(document.createElement("small"), { textContent: below }));
      if (column.tone) cell.className = column.tone(trade);
      row.append(cell);
    });
    return row;
  }

  function render() {
    const found = kept();
    table.tBodies[0].replaceChildren(...found.slice(0, visible).map(rowOf));
    const net = found.reduce((sum, trade) => sum + trade.net, 0);
    const noun = found.length === 1 ? "trade" : "trades";
    document.getElementById("trade-count").textContent =
      `${Math.min(visible, found.length).toLocaleString("en-US")} of ${found.length.toLocaleString("en-US")} ${noun} shown, net ${signed(net, 2)} ${currency}`;
    document.getElementById("more-trades").hidden = found.length <= visible;
  }

  function csv() {
    const head = ["market", "side", "decided", "entered", "left", "entry_price", "exit_price", "quantity", "leverage", "exit",
      "confidence", "consensus", "fee", "slippage", "funding", "net", "net_return", "vote"];
    const lines = kept().map((trade) => [
      trades.symbols[trade.symbol], trade.side > 0 ? "long" : "short",
      ...[trade.decided, trade.entry, trade.exit].map((at) => `${report.moment(at)}Z`),
      trade.entry_price, trade.exit_price, trade.quantity, trade.leverage, trades.reasons[trade.reason], trade.confidence,
      trades.consensus[trade.consensus], trade.fee, trade.slippage, trade.funding, trade.net, trade.net_return, vote(trade),
    ]);
    // A text that a spreadsheet would take for a formula is marked as text.
    const quoted = (value) => {
      const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [head, ...lines].map((line) => line.map(quoted).join(",")).join("\n") + "\n";
  }

  report.sortable(table, (column, ascending) => {
    const value = columns[column].of;
    ordered.sort((a, b) => report.compared(value(a), value(b)) * (ascending ? 1 : -1));
    render();
  });
  for (const filter of filters) filter.addEventListener("change", () => { visible = PAGE; render(); });
  document.getElementById("more-trades").addEventListener("click", () => { visible += 4 * PAGE; render(); });
  document.getElementById("save-trades").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "trades.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  });
  report.csv = csv;
  render();
})();
