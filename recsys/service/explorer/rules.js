// Rules that lists keep to while somebody looks at them; they hold for every user and basket.

import { element, section, service } from "./page.js";

const rules = { apply: true, includeSeen: false, leastUsers: 0, soldSince: "", diversity: 0, discount: 0, exclude: new Map() };

// What a request says of the rules.
export function asked() {
  if (!rules.apply) return {};
  const said = {
    exclude: [...rules.exclude.keys()], least_users: rules.leastUsers,
    diversity: rules.diversity, popularity_discount: rules.discount,
  };
  if (rules.soldSince) said.sold_since = rules.soldSince;
  return { include_seen: rules.includeSeen, rules: said };
}

function field(text, attributes, take, changed) {
  const input = element("input", { ...attributes, onchange: (event) => { take(event.target); changed(); } });
  return element("label", { class: "rule" }, ...(attributes.type === "checkbox" ? [input, ` ${text}`] : [`${text} `, input]));
}

function weight(text, name, changed) {
  return field(text, { type: "number", min: 0, max: 0.5, step: 0.1, value: rules[name] },
    (input) => { rules[name] = Math.min(0.5, Math.max(0, Number(input.value) || 0)); input.value = rules[name]; }, changed);
}

export function rulesSection(changed) {
  const out = element("ul", { class: "rows" });
  function showLeftOut() {
    out.replaceChildren(...[...rules.exclude].map(([item, name]) => element("li", {},
      element("span", { class: "name" }, `Left out: ${name}`),
      element("button", { type: "button", class: "small", "aria-label": `Put back ${name}`,
        onclick: () => { rules.exclude.delete(item); showLeftOut(); changed(); } }, "Put back"))));
  }
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
    weight("More variety, 0 to 0.5", "diversity", changed),
    weight("Less of what many have, 0 to 0.5", "discount", changed),
  ];
  function leaveOut(row) {
    rules.exclude.set(row.item, row.name);
    showLeftOut();
    changed();
  }
  return { leaveOut, part: section("rules", "Rules", ...fields, out) };
}
