// Lists of recommended items: what is new, what has gone, and two models' lists side by side.

import { element, itemLink, section } from "./page.js";

// One list; `had` are the items of the list before, `leaveOut` is called with an item that is not wanted.
function rowsOf(list, had, leaveOut) {
  return list.items.map((row) => {
    const isNew = had !== null && !had.has(row.item);
    const marks = [isNew ? "new" : "", row.only ? "only here" : ""].filter(Boolean).join(", ");
    return element("li", {},
      element("span", { class: isNew || row.only ? "new" : "" }, itemLink(row), marks ? ` (${marks})` : ""),
      leaveOut && element("button", { type: "button", class: "small", "aria-label": `Leave out ${row.name}`,
        onclick: () => leaveOut(row) }, "Leave out"),
      row.reason ? element("span", { class: "reason" }, row.reason.text) : null);
  });
}

function remarks(list) {
  const popular = "Nothing is known yet: what most users have.";
  return [list.source === "popularity" ? popular : null, list.why_short]
    .filter(Boolean).map((text) => element("p", { class: "quiet" }, `${text[0].toUpperCase()}${text.slice(1)}`));
}

export function listed(list, before, names, leaveOut) {
  const had = before && new Set(before);
  const gone = (before ?? []).filter((item) => !list.items.some((row) => row.item === item));
  return section("list", "Recommended", ...remarks(list),
    element("ol", { class: "list" }, ...rowsOf(list, had, leaveOut)),
    gone.length ? element("p", {}, `No longer listed: ${gone.map((item) => names.get(item) ?? item).join("; ")}`) : null);
}

export function beside(found) {
  const pair = found.lists[0];
  const columns = ["here", "beside"].map((name) => {
    const about = found.models[name];
    const id = `list-${name}`;
    const title = name === "here" ? `This model: ${about.model}` : `Beside: ${about.model}`;
    return element("div", {}, element("h3", { id }, title),
      element("p", { class: "quiet" }, `trained on ${about.digest}`), ...remarks(pair[name]),
      about.unknown_items.length
        ? element("p", { class: "quiet" }, `It does not know ${about.unknown_items.join(", ")}.`) : null,
      element("ol", { class: "list", "aria-labelledby": id }, ...rowsOf(pair[name], null)));
  });
  return section("beside", "Two models side by side",
    element("p", {}, `${pair.n_common} items stand in both lists; what only one lists is marked.`),
    element("div", { class: "columns" }, ...columns));
}
