// Where a type is accepted, by county.

import { trouble } from "../../course.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());
const ALL = "全部县市";

/** @typedef {{id: string, name: string, county: string | null, address: string | null}} Place */

Page({
  data: {
    /** @type {Place[]} */
    all: [],
    /** @type {Place[]} */
    shown: [],
    counties: [ALL],
    county: 0,
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  /** @param {{type?: string}} query */
  async onLoad(query) {
    try {
      const journey = await course.begin();
      /** @type {Place[]} */
      const all = await course.perform((one) => one.institutions(course.slug, query.type || "", null));
      const named = all.map((one) => one.county || "").filter(Boolean);
      const counties = [ALL].concat(Array.from(new Set(named)).sort());
      this.setData({ all, counties, trouble: null });
      this.show(Math.max(0, counties.indexOf(journey.county())));
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  /** @param {number} county */
  show(county) {
    const name = this.data.counties[county];
    this.setData({ county, shown: this.data.all.filter((one) => county === 0 || one.county === name) });
  },

  /** @param {WechatMiniprogram.PickerChange} event */
  async onCounty(event) {
    const county = Number(event.detail.value);
    this.show(county);
    (await course.begin()).keepCounty(county ? this.data.counties[county] : "");
  },
});
