// Rules that lists keep to while somebody looks at them; they hold for every user and basket.

import { ask, element, say, section, service } from "./page.js";

const rules = {
  apply: true, includeSeen: false, leastUsers: 0, soldSince: "", diversity: 0, discount: 0, exclude: new Map(),
  categories: new Map(), mostPerCategory: 0, calibration: 0,
};

// What a request says of the rules.
export function asked() {
  if (!rules.apply) return {};
  const said = {
    exclude: [...rules.exclude.keys()], least_users: rules.leastUsers,
    diversity: rules.diversity, popularity_discount: rules.discount,
  };
  const named = (how) => [...rules.categories].filter(([, rule]) => rule === how).map(([category]) => category);
  if (service.model.has_categories) {
    Object.assign(said, { only_categories: named("only"), never_categories: named("never"), calibration: rules.calibration });
    if (rules.mostPerCategory) said.most_per_category = rules.mostPerCategory;
  }
  if (rules.soldSince) said.sold_since = rules.soldSince;
  return { include_seen: rules.includeSeen, rules: said };
}

function field(text, attributes, take, changed) {
  const input = element("input", { ...attributes, onchange: (event) => { take(event.target); changed(); } });
  return element("label", { class: "rule" }, ...(attributes.type === "checkbox" ? [input, ` ${text}`] : [`${text} `, input]));
}

function weight(text, name, changed, most) {
  return field(text, { type: "number", id: `rules-${name}`, min: 0, max: most, step: 0.1, value: rules[name] },
    (input) => { rules[name] = Math.min(most, Math.max(0, Number(input.value) || 0)); input.value = rules[name]; }, changed);
}

// Rows of what was chosen, each with a button that takes the choice back.
function chosenRows(out, chosen, described, verb, changed) {
  out.replaceChildren(...[...chosen].map(([key, value]) => element("li", {},
    element("span", { class: "name" }, described(key, value)),
    element("button", { type: "button", class: "small", "aria-label": `${verb} ${described(key, value)}`,
      onclick: () => { chosen.delete(key); chosenRows(out, chosen, described, verb, changed); changed(); } }, verb))));
}

// Categories that may be listed, or may not, and how many items of one a list may hold.
function categoryFields(changed) {
  if (!service.model.has_categories) return [];
  const out = element("ul", { class: "rows", id: "category-rules" });
  const words = { only: "Only", never: "Never" };
  const show = () => chosenRows(out, rules.categories, (category, how) => `${words[how]} ${category}`, "Take back", changed);
  const select = element("select", { id: "rules-category" });
  ask("categories").then((found) => select.append(...found.categories.map((row) =>
    element("option", { value: row.category }, `${row.category} (${row.n_items.toLocaleString("en")})`)))).catch((error) => say(error.message));
  const choose = (how) => element("button", { type: "button", class: "small", id: `rules-${how}`, onclick: () => {
    if (!select.value) return;
    rules.categories.set(select.value, how);
    show();
    changed();
  } }, words[how]);
  show();
  return [
    element("div", { class: "rule" }, element("label", { for: "rules-category" }, "Category "), select, choose("only"), choose("never")),
    out,
    field("Most items of one category (0: any number)", { type: "number", id: "rules-most", min: 0, value: rules.mostPerCategory },
      (input) => { rules.mostPerCategory = Math.max(0, Math.round(Number(input.value)) || 0); }, changed),
    weight("Keep the history's mix of categories, 0 to 0.3", "calibration", changed, 0.3),
  ];
}

export function rulesSection(changed) {
  const out = element("ul", { class: "rows", id: "left-out" });
  const showLeftOut = () => chosenRows(out, rules.exclude, (_, name) => `Left out: ${name}`, "Put back", changed);
  showLeftOut();
  const fields = [
    field("Rules apply", { type: "checkbox", id: "rules-apply", checked: rules.apply },
      (input) => { rules.apply = input.checked; }, changed),
    field("May list what is in the history", { type: "checkbox", id: "rules-seen", checked: rules.includeSeen },
      (input) => { rules.includeSeen = input.checked; }, changed),
    field("Only items of at least so many users", { type: "number", id: "rules-users", min: 0, value: rules.leastUsers },
      (input) => { rules.leastUsers = Math.max(0, Math.round(Number(input.value)) || 0); }, changed),
    service.model.has_times
      ? field("Only what was sold since (60d, 8w, 2024-05-31)", { id: "rules-since", value: rules.soldSince },
        (input) => { rules.soldSince = input.value.trim(); }, changed) : null,
    weight("More variety, 0 to 0.4", "diversity", changed, 0.4),
    weight("Less of what many have, 0 to 0.3", "discount", changed, 0.3),
    ...categoryFields(changed),
  ];
  function leaveOut(row) {
    rules.exclude.set(row.item, row.name);
    showLeftOut();
    changed();
  }
  return { leaveOut, part: section("rules", "Rules", ...fields, out) };
}
