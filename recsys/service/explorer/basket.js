// A user's history, or a basket of one's own, and the list that it brings.

import { ask, element, label, mixture, say, section, service } from "./page.js";
import { beside, listed } from "./lists.js";
import { asked, rulesSection } from "./rules.js";

// What is looked at: item to {name, value, counts}; a user whose history was not touched has the trained list.
let basket = { user: null, items: new Map(), touched: true };
const feedbackIsRatings = () => service.model.trained_on.feedback === "explicit";

export function addButton(item, name) {
  const text = basket.user === null ? "Add to the basket" : `Add to the history of user ${basket.user}`;
  return element("button", { type: "button", onclick: () => {
    basket.items.set(item, { name, value: feedbackIsRatings() ? 5 : 1, counts: true });
    basket.touched = true;
    location.hash = "#/basket";
  } }, text);
}

function historySection(changed) {
  function touched() {
    basket.touched = true;
    changed();
  }
  const rows = [...basket.items].map(([item, entry]) => {
    const id = `value-${item}`;
    return element("li", {},
      element("label", { class: "name" }, element("input", { type: "checkbox", checked: entry.counts,
        onchange: (event) => { entry.counts = event.target.checked; touched(); } }), ` ${label({ item, name: entry.name })}`),
      element("label", { for: id, class: "quiet" }, feedbackIsRatings() ? "rating" : "amount"),
      element("input", { type: "number", id, min: "0", step: "any", value: entry.value,
        "aria-label": `${feedbackIsRatings() ? "Rating" : "Amount"} of ${entry.name}`,
        onchange: (event) => { entry.value = Math.max(0, Number(event.target.value) || 0); touched(); } }));
  });
  const hint = rows.length
    ? `${rows.length} ${rows.length === 1 ? "item" : "items"}. Untick one, or find another above and add it, and see what the list becomes.`
    : "Find an item above and add it.";
  const list = rows.length
    ? element("ul", { class: "rows scroll", tabindex: "0", "aria-label": "Items of the history" }, ...rows) : null;
  return section("history", basket.user === null ? "Basket" : `History of user ${basket.user}`,
    element("p", { class: "quiet" }, hint), list);
}

function request() {
  const rules = { n: 10, ...asked() };
  if (!basket.touched) return { user: basket.user, ...rules };
  const history = {};
  for (const [item, entry] of basket.items) if (entry.counts) history[item] = entry.value;
  return { histories: { basket: history }, ...rules };
}

export async function basketView(themes = []) {
  const own = element("div");
  const other = element("div");
  const names = new Map();
  let before = null;
  let asking = 0;
  const { part, leaveOut } = rulesSection(() => changed());
  async function changed() {
    const mine = ++asking;
    try {
      const body = request();
      const [answer, pair] = await Promise.all([
        ask("recommend", { ...body, reasons: 2 }), service.model.beside ? ask("beside", body) : null]);
      if (mine !== asking) return;
      const [list] = answer.lists;
      for (const row of list.items) names.set(row.item, label(row));
      own.replaceChildren(listed(list, before, names, leaveOut));
      other.replaceChildren(...(pair ? [beside(pair)] : []));
      const n_new = before === null ? 0 : list.items.filter((row) => !before.includes(row.item)).length;
      say(before === null ? "" : `The list was made again; ${n_new} of its ${list.items.length} items are new.`);
      before = list.items.map((row) => row.item);
    } catch (error) {
      say(error.message);
    }
  }
  await changed();
  const mixed = mixture(themes, "Shares of what themes add to the items of the history.");
  document.title = basket.user === null ? "Basket, recsys explorer" : `User ${basket.user}, recsys explorer`;
  return [element("div", { class: "columns" }, historySection(changed), own,
    element("div", { class: "stack" }, part, mixed)), other];
}

export async function userView(user) {
  const found = await ask(`users/${encodeURIComponent(user)}`);
  const items = found.history.map((row) => [row.item, { name: row.name, value: row.value, counts: true }]);
  basket = { user: found.user, items: new Map(items), touched: false };
  return basketView(found.themes);
}
