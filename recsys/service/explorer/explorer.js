// The page of a service: which view is shown, and what finds users and items.

import { basketView, userView } from "./basket.js";
import { itemView } from "./item.js";
import { ask, byId, element, itemLink, say, section, service } from "./page.js";
import { familiesView, themesView } from "./themes.js";

const VIEWS = { basket: () => basketView(), families: familiesView, item: itemView, themes: themesView, user: userView };

// The last view asked for is the one that is shown, in whatever order answers come.
let turn = 0;
async function show(view, takesFocus) {
  const mine = ++turn;
  say("");
  try {
    const parts = await view();
    if (mine !== turn) return;
    byId("main").replaceChildren(...parts);
    window.scrollTo(0, 0);
    if (takesFocus) byId("main").focus();
  } catch (error) {
    if (mine === turn) say(error.message);
  }
}

async function homeView() {
  document.title = "recsys explorer";
  const about = "Open a user by id to see the history, the mixture of themes and the list with its reasons; untick an item "
    + "and watch the list. Or find items by name and fill a basket. Families show what the model is made of.";
  const links = service.model.most_active.flatMap((user, number) =>
    [number ? ", " : "", element("a", { href: `#/user/${encodeURIComponent(user)}` }, String(user))]);
  const { items } = await ask("items?n=5");
  return [section("home", "What this model does", element("p", {}, about),
    links.length ? element("p", {}, "Users with most entries: ", ...links) : null,
    items.length ? element("p", {}, "Items that most users have:") : null,
    element("ul", {}, ...items.map((item) =>
      element("li", {}, itemLink(item), element("span", { class: "quiet" }, ` ${item.n_users} users`)))))];
}

async function route(takesFocus) {
  const [, view, ...rest] = location.hash.split("/");
  const what = decodeURIComponent(rest.join("/"));
  await show(VIEWS[view] ? () => VIEWS[view](what) : homeView, takesFocus);
}

const inWords = (model) => `${model.model}, ${model.n_users.toLocaleString("en")} users, ${model.n_items.toLocaleString("en")} items`;

async function begin() {
  try {
    service.model = await ask("model");
    const { model } = service;
    byId("model").textContent = `${inWords(model)}, loaded ${model.loaded.slice(0, 16).replace("T", " ")} UTC${model.beside ? `; beside it ${inWords(model.beside)}` : ""}`;
    for (const link of document.querySelectorAll(".of-themes")) link.hidden = !model.has_themes;
    byId("token").hidden = true;
    await route(false);
  } catch (error) {
    say(error.message);
  }
}

byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  service.token = byId("token-field").value;
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
    say(query && !hits.length ? `No item has ${query} in its name.` : "");
  } catch (error) {
    say(error.message);
  }
});
window.addEventListener("hashchange", () => route(true));
begin();
