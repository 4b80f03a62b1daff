// Where vouchers are used, by county: the directory knows no coordinates, so nobody is asked where they stand.

import { button, h, t } from "./ui.js";

/** Where a type is accepted: asked for when somebody opens it. */
export function places(app, slug, type) {
  const w = t(app);
  const list = h("ul", { class: "places-list" });
  const select = h("select", { "aria-label": w("where"), onchange: () => {
    app.journey.keepCounty(select.value);
    fill(select.value || null);
  } });
  const count = h("p", { class: "quiet", role: "status" });
  const shown = (items) => {
    count.textContent = items.length ? w("whereN", { n: items.length }) : "";
    list.replaceChildren(...(items.length ? items.map((one) =>
      h("li", {}, h("b", {}, one.name), h("span", { class: "quiet" }, [one.county, one.address].filter(Boolean).join(" ")))) : [h("li", {}, w("whereNone"))]));
  };
  const lost = (county) => list.replaceChildren(h("li", {}, w("whereLost"), button(w("again"), () => fill(county), { class: "plain" })));
  const fill = async (county) => {
    let items = [];
    try {
      items = await app.journey.institutions(slug, type, county);
    } catch (error) {
      lost(county);
      return;
    }
    if (select.children.length > 0) {
      shown(items);
      return;
    }
    const counties = Array.from(new Set(items.map((one) => one.county).filter(Boolean))).sort();
    select.append(h("option", { value: "" }, w("whereAll")), ...counties.map((one) => h("option", { value: one }, one)));
    // Where somebody looked the last time is where they are.
    select.value = counties.includes(app.journey.county()) ? app.journey.county() : "";
    shown(select.value ? items.filter((one) => one.county === select.value) : items);
  };
  const box = h("details", { class: "where" }, h("summary", {}, w("where")), select, count, list);
  box.addEventListener("toggle", () => {
    if (box.open && !list.children.length) fill(null);
  });
  return box;
}
