// An item: its neighbours, and the themes that it is part of.

import { addButton } from "./basket.js";
import { ask, element, itemLink, label, mixture, section } from "./page.js";

async function neighbours(item) {
  try {
    const found = await ask(`similar/${encodeURIComponent(item)}`);
    const value = found.by === "neighbors" ? "weight" : "similarity";
    const rows = found.similar.map((row) => element("li", {}, itemLink(row),
      element("span", { class: "reason" }, `${value} ${row[value].toFixed(3)}`)));
    return [rows.length ? element("ol", { class: "list" }, ...rows) : null,
      found.why_short ? element("p", { class: "quiet" }, found.why_short) : null];
  } catch (error) {
    return [element("p", { class: "quiet" }, error.message)]; // a model may learn nothing to compare items by
  }
}

export async function itemView(item) {
  const [found, alike] = await Promise.all([ask(`items/${encodeURIComponent(item)}`), neighbours(item)]);
  document.title = `${found.name}, recsys explorer`;
  return [element("div", { class: "columns" },
    section("item", label(found), element("p", {}, `${found.n_users.toLocaleString("en")} users have it.`),
      addButton(found.item, found.name)),
    section("alike", "Most alike", ...alike),
    mixture(found.themes, "Shares of what themes add to the item, over the users who have it."))].filter(Boolean);
}
