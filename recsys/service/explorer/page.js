// What every view uses: elements of the page, questions to the service, links and bars.

const SVG = "http://www.w3.org/2000/svg";

// Names of items and themes are data: they only ever become text, never markup.
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const element = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);
export const drawn = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);
export const say = (text) => { byId("said").textContent = text; };
export const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
export const label = (row) => (row.name === String(row.item) ? row.name : `${row.name} (${row.item})`);
export const itemLink = (row) => element("a", { href: `#/item/${encodeURIComponent(row.item)}` }, label(row));
export const themeLink = (theme) => element("a", { href: `#/themes/${theme.theme}` }, `Theme ${theme.theme}`);
export const familyLink = (family) =>
  element("a", { href: `#/families/${family.family}` }, `Family ${family.family}: ${family.name}`);

// The token that the service asks for, and what the service says of its model.
export const service = { token: "", model: {} };

export async function ask(path, body) {
  const headers = service.token ? { authorization: `Bearer ${service.token}` } : {};
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

export function section(id, title, ...children) {
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...children);
}

export function bar(share, largest) {
  const made = element("span", { class: "bar", "aria-hidden": "true" });
  made.style.width = `${(100 * share) / largest}%`;
  return made;
}

export function itemList(rows) {
  return element("ol", { class: "list" }, ...rows.map((row) => element("li", {}, itemLink(row), bar(row.weight, 1))));
}

// The themes that a user or an item is made of, and what the shares are shares of.
export function mixture(themes, of) {
  if (!themes.length) return null;
  const rows = themes.map((theme) =>
    element("li", {}, themeLink(theme), ` ${theme.name}, ${percent(theme.share)}`, bar(theme.share, themes[0].share)));
  return section("mixture", "Mixture of themes", element("p", { class: "quiet" }, of),
    element("ul", { class: "list" }, ...rows));
}
