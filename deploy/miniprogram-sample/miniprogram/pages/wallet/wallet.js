import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());

/** @typedef {import("../../api.js").Voucher} Voucher */

Page({
  data: {
    /** @type {Array<{id: string, name: string, worth: string, until: string, state: string}>} */
    vouchers: [],
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },

  onShow() {
    return this.load();
  },

  async onPullDownRefresh() {
    await this.load();
    wx.stopPullDownRefresh();
  },

  async load() {
    try {
      /** @type {Voucher[]} */
      const found = await course.perform((journey) => journey.vouchers());
      const vouchers = found.map((voucher) => ({
        id: voucher.id,
        name: voucher.name,
        worth: voucher.face_value_fen ? `¥${voucher.face_value_fen / 100}` : "",
        until: voucher.valid_until.slice(0, 10),
        state: say("zh", voucher.status),
      }));
      this.setData({ vouchers, trouble: null });
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  /** @param {WechatMiniprogram.TouchEvent} event */
  onOpen(event) {
    wx.navigateTo({ url: `/pages/voucher/voucher?id=${event.currentTarget.dataset.id}` });
  },
});
