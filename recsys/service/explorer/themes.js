// Themes and their families, and how alike they are.

import { ask, drawn, element, familyLink, itemList, percent, section } from "./page.js";

const CELL = 18;
const FEW = 20; // rows up to which cells are drawn larger
const ALIKE_PAIRS = 5;

function tile(theme) {
  return element("section", { class: "tile", "aria-labelledby": `theme-${theme.theme}` },
    element("h2", { id: `theme-${theme.theme}` }, `Theme ${theme.theme}: ${theme.name}`),
    element("p", { class: "quiet" }, `${percent(theme.share)} of all; ${theme.n_users.toLocaleString("en")} users, ${theme.n_items.toLocaleString("en")} items`),
    itemList(theme.items));
}

export async function themesView(number) {
  const n = Math.min(1000, Math.max(20, Number(number) || 0));
  const found = (await ask(`themes?n=${n}&top=8`)).themes;
  const shown = number ? found.filter((theme) => theme.theme === Number(number)) : found;
  document.title = "Themes, recsys explorer";
  if (!shown.length) throw new Error(`There is no theme ${number}.`);
  return [element("div", { class: "columns" }, ...shown.map(tile))];
}

// Pairs of rows by how alike they are, the most alike first.
function pairs(likeness) {
  const all = [];
  for (let row = 0; row < likeness.length; row += 1) {
    for (let column = 0; column < row; column += 1) all.push([likeness[row][column], column, row]);
  }
  return all.sort((one, other) => other[0] - one[0]);
}

// A picture for those who see it, and the same in words.
function correlations(kind, entries, likeness) {
  if (entries.length < 2) return null;
  const margin = 2 * CELL;
  const size = margin + CELL * entries.length;
  const width = size * (entries.length <= FEW ? 1.5 : 1);
  const cells = likeness.flatMap((values, row) => values.map((value, column) =>
    drawn("rect", { x: margin + CELL * column, y: margin + CELL * row, width: CELL, height: CELL, "fill-opacity": value },
      drawn("title", {}, `${kind} ${entries[row].number} and ${entries[column].number}: ${value.toFixed(2)}`))));
  const numbers = entries.flatMap((entry, row) => {
    const middle = margin + CELL * (row + 0.5);
    return [
      drawn("text", { x: margin - 4, y: middle + 4, "text-anchor": "end" }, entry.number),
      drawn("text", { x: 0, y: 0, "text-anchor": "start", transform: `translate(${middle + 4} ${margin - 4}) rotate(-90)` }, entry.number),
    ];
  });
  const name = `How alike the ${kind === "Family" ? "families" : "themes"} are`;
  const picture = drawn("svg", { class: "heat", role: "img", "aria-label": `${name}; the words below say the same`,
    viewBox: `0 0 ${size} ${size}`, width, height: width }, ...cells, ...numbers);
  const sorted = pairs(likeness);
  const apart = sorted.filter(([value]) => value < 0.1).length;
  const words = sorted.slice(0, ALIKE_PAIRS).map(([value, one, other]) => element("li", {},
    `${entries[one].name} and ${entries[other].name}: ${value.toFixed(2)}`));
  return section("likeness", name,
    element("p", { class: "quiet" }, "Cosine of their items, 0 to 1: the fuller the colour, the more alike; the diagonal is 1."),
    element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": name }, picture),
    element("p", {}, "Most alike are"), element("ol", { class: "list" }, ...words),
    element("p", {}, `${apart} of ${sorted.length} pairs have less than 0.1 in common.`));
}

export async function familiesView(number) {
  document.title = "Families of themes, recsys explorer";
  return number ? familyView(number) : allFamilies();
}

async function allFamilies() {
  const found = await ask("families");
  const tiles = found.families.map((family) => element("section", { class: "tile", "aria-labelledby": `family-${family.family}` },
    element("h2", { id: `family-${family.family}` }, familyLink(family)),
    element("p", { class: "quiet" }, `${percent(family.share)} of all; ${family.themes.length} theme${family.themes.length === 1 ? "" : "s"}`),
    itemList(family.items)));
  const named = found.families.map((family) => ({ number: family.family, name: `Family ${family.family} (${family.name})` }));
  return [element("div", { class: "columns" }, ...tiles), correlations("Family", named, found.likeness)].filter(Boolean);
}

async function familyView(number) {
  const found = await ask(`families/${encodeURIComponent(number)}`);
  const compared = found.themes.slice(0, found.likeness.length)
    .map((theme) => ({ number: theme.theme, name: `Theme ${theme.theme} (${theme.name})` }));
  const picture = correlations("Theme", compared, found.likeness);
  if (picture && compared.length < found.themes.length) {
    picture.append(element("p", { class: "quiet" }, `The ${compared.length} largest of ${found.themes.length} themes.`));
  }
  return [
    section("family", `Family ${found.family}: ${found.name}`,
      element("p", {}, `${percent(found.share)} of all. `, element("a", { href: "#/families" }, "All families")), itemList(found.items)),
    picture,
    element("div", { class: "columns" }, ...found.themes.map(tile)),
  ].filter(Boolean);
}
