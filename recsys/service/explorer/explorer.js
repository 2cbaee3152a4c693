"use strict";

// Names of items and themes are data: they only ever become text, never markup.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const byId = (id) => document.getElementById(id);
const main = byId("main");
const said = byId("said");
const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const label = (row) => (row.name === String(row.item) ? row.name : `${row.name} (${row.item})`);
const itemLink = (row) => element("a", { href: `#/item/${encodeURIComponent(row.item)}` }, label(row));

let token = "";
let model = {};
// What is looked at: a user's history or a basket of one's own, item to {name, value, counts}.
let basket = { user: null, items: new Map(), listed: null };

async function ask(path, body) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const options = { headers };
  if (body !== undefined) {
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    headers["content-type"] = "application/json";
  }
  const answer = await fetch(path, options);
  if (answer.status === 401) byId("token").hidden = false;
  const record = await answer.json();
  if (!answer.ok) throw new Error(record.error);
  return record;
}

// The last view asked for is the one that is shown, in whatever order answers come.
let turn = 0;
async function show(view) {
  const mine = ++turn;
  said.textContent = "";
  try {
    const parts = await view();
    if (mine !== turn) return;
    main.replaceChildren(...parts);
  } catch (error) {
    if (mine !== turn) return;
    said.textContent = error.message;
  }
}

function shareBar(share, largest) {
  return element("span", { class: "bar", "aria-hidden": "true", style: null, "data-width": share / largest });
}

function widths(root) {
  for (const bar of root.querySelectorAll("[data-width]")) {
    bar.style.width = `${100 * Number(bar.dataset.width)}%`;
  }
  return root;
}

function mixture(themes) {
  if (!themes.length) return null;
  const rows = themes.map((theme) =>
    element("li", {}, element("a", { href: `#/themes/${theme.theme}` }, `Theme ${theme.theme}`),
      ` ${theme.name}, ${percent(theme.share)}`, shareBar(theme.share, themes[0].share)));
  return widths(element("section", { "aria-labelledby": "mixture" },
    element("h2", { id: "mixture" }, "Mixture of themes"), element("ul", { class: "list" }, ...rows)));
}

function listed(list, before) {
  const had = new Set(before ?? []);
  const rows = list.items.map((row) => element("li", {},
    element("span", { class: before && !had.has(row.item) ? "new" : "" }, itemLink(row),
      before && !had.has(row.item) ? " (new)" : ""),
    row.reason ? element("span", { class: "reason" }, row.reason.text) : null));
  const gone = [...had].filter((item) => !list.items.some((row) => row.item === item));
  return element("section", { "aria-labelledby": "list" },
    element("h2", { id: "list" }, "Recommended"),
    element("p", { class: "quiet" }, list.source === "popularity"
      ? "Nothing is known yet: what most users have." : "Changes as the history does."),
    element("ol", { class: "list" }, ...rows),
    gone.length ? element("p", {}, `No longer listed: ${gone.map((item) => basket.names.get(item) ?? item).join("; ")}`) : null);
}

function historySection(changed) {
  const rows = [...basket.items].map(([item, entry]) => {
    const id = `value-${item}`;
    return element("li", {},
      element("label", { class: "name" }, element("input", { type: "checkbox", checked: entry.counts,
        onchange: (event) => { entry.counts = event.target.checked; changed(); } }), ` ${label({ item, name: entry.name })}`),
      element("label", { for: id, class: "quiet" }, model.trained_on.feedback === "explicit" ? "rating" : "amount"),
      element("input", { type: "number", id, min: "0", step: "any", value: entry.value,
        onchange: (event) => { entry.value = Math.max(0, Number(event.target.value) || 0); changed(); } }));
  });
  return element("section", { "aria-labelledby": "history" },
    element("h2", { id: "history" }, basket.user === null ? "Basket" : `History of user ${basket.user}`),
    element("p", { class: "quiet" }, rows.length
      ? "Untick an item, or find one above and add it, and see what the list becomes."
      : "Find an item above and add it."),
    element("ul", { class: "rows scroll", tabindex: "0", "aria-label": "Items of the history" }, ...rows));
}

async function list() {
  const history = {};
  for (const [item, entry] of basket.items) if (entry.counts) history[item] = entry.value;
  const body = { histories: { basket: history }, n: 10, reasons: 2 };
  return (await ask("recommend", body)).lists[0];
}

async function basketView(themes) {
  const place = element("div");
  let mine = 0;
  async function changed() {
    const number = ++mine;
    try {
      const found = await list();
      if (number !== mine) return;
      for (const row of found.items) basket.names.set(row.item, label(row));
      place.replaceChildren(listed(found, basket.listed));
      basket.listed = found.items.map((row) => row.item);
    } catch (error) {
      said.textContent = error.message;
    }
  }
  basket.names ??= new Map();
  basket.listed = null;
  await changed();
  return [element("div", { class: "columns" }, historySection(changed), place, mixture(themes) ?? "")];
}

async function userView(user) {
  const found = await ask(`users/${encodeURIComponent(user)}`);
  const items = found.history.map((row) => [row.item, { name: row.name, value: row.value, counts: true }]);
  basket = { user: found.user, items: new Map(items), listed: null, names: new Map() };
  document.title = `User ${found.user}, recsys explorer`;
  return basketView(found.themes);
}

async function itemView(item) {
  const found = await ask(`similar/${encodeURIComponent(item)}`);
  const name = await nameOf(found.item);
  document.title = `${name}, recsys explorer`;
  const value = found.by === "neighbors" ? "weight" : "similarity";
  const rows = found.similar.map((row) => element("li", {}, itemLink(row),
    element("span", { class: "reason" }, `${value} ${row[value].toFixed(3)}`)));
  const add = element("button", { type: "button", onclick: () => {
    basket.items.set(found.item, { name, value: model.trained_on.feedback === "explicit" ? 5 : 1, counts: true });
    location.hash = "#/basket";
  } }, basket.user === null ? "Add to the basket" : `Add to the history of user ${basket.user}`);
  return [element("section", { "aria-labelledby": "item" }, element("h2", { id: "item" }, label({ item: found.item, name })), add,
    element("h3", {}, "Most alike"), element("ol", { class: "list" }, ...rows),
    found.why_short ? element("p", { class: "quiet" }, found.why_short) : null)];
}

async function nameOf(item) {
  const hits = (await ask(`items?n=1000&q=${encodeURIComponent(item)}`)).items;
  return hits.find((hit) => hit.item === item)?.name ?? String(item);
}

async function themesView(number) {
  const n = Math.max(20, Number(number) || 0);
  const found = (await ask(`themes?n=${Math.min(n, 1000)}&top=8`)).themes;
  const shown = number ? found.filter((theme) => theme.theme === Number(number)) : found;
  document.title = "Themes, recsys explorer";
  const tiles = shown.map((theme) => widths(element("section", { class: "tile", "aria-labelledby": `theme-${theme.theme}` },
    element("h2", { id: `theme-${theme.theme}` }, `Theme ${theme.theme}: ${theme.name}`),
    element("p", { class: "quiet" }, `${percent(theme.share)} of all; ${theme.n_users} users, ${theme.n_items} items`),
    element("ol", { class: "list" }, ...theme.items.map((row) => element("li", {}, itemLink(row), shareBar(row.weight, 1)))))));
  return [element("div", { class: "columns" }, ...tiles)];
}

async function homeView() {
  document.title = "recsys explorer";
  return [element("section", { "aria-labelledby": "home" }, element("h2", { id: "home" }, "What this model does"),
    element("p", {}, "Open a user by id to see the history, the mixture of themes and the list with its reasons; untick an item and watch the list. Or find items by name and fill a basket.")),
  ];
}

async function route() {
  const [, view, ...rest] = location.hash.split("/");
  const what = decodeURIComponent(rest.join("/"));
  if (view === "user") await show(() => userView(what));
  else if (view === "item") await show(() => itemView(what));
  else if (view === "themes") await show(() => themesView(what));
  else if (view === "basket") await show(() => basketView([]));
  else await show(homeView);
}

async function begin() {
  try {
    model = await ask("model");
    byId("model").textContent =
      `${model.model}, ${model.n_users.toLocaleString("en")} users, ${model.n_items.toLocaleString("en")} items, here since ${model.loaded}`;
    byId("token").hidden = true;
    await route();
  } catch (error) {
    said.textContent = error.message;
  }
}

byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token-field").value;
  begin();
});
byId("find-user").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = `#/user/${encodeURIComponent(byId("user-field").value.trim())}`;
});
byId("find-item").addEventListener("submit", (event) => event.preventDefault());
let asked = 0;
byId("item-field").addEventListener("input", async (event) => {
  const mine = ++asked;
  const query = event.target.value.trim();
  try {
    const hits = query ? (await ask(`items?n=8&q=${encodeURIComponent(query)}`)).items : [];
    if (mine !== asked) return;
    byId("hits").replaceChildren(...hits.map((hit) =>
      element("li", {}, itemLink(hit), element("span", { class: "quiet" }, ` ${hit.n_users} users`))));
    said.textContent = query && !hits.length ? `No item has ${query} in its name.` : "";
  } catch (error) {
    said.textContent = error.message;
  }
});
window.addEventListener("hashchange", route);
begin();
