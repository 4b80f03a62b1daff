// The code for the till. The picture changes by itself; the digits below are good without a network too.

import { say } from "../../logic/words.js";
import { trouble } from "../../course.js";
import { pictureAddress } from "../../platform.js";

const { course } = /** @type {{course: import("../../course.js").Course}} */ (getApp());
const AGAIN_MS = 3000;

/** @typedef {import("../../api.js").Voucher} Voucher */

Page({
  data: {
    /** @type {Voucher | null} */
    voucher: null,
    digits: "",
    how: "",
    picture: "",
    left: 0,
    /** @type {import("../../course.js").Trouble | null} */
    trouble: null,
  },
  id: "",
  until: 0,
  asking: false,
  timer: 0,

  /** @param {{id?: string}} query */
  async onLoad(query) {
    this.id = query.id || "";
    try {
      /** @type {Voucher} */
      const voucher = await course.perform((journey) => journey.voucher(this.id));
      const value = voucher.face_value_fen ? `¥${voucher.face_value_fen / 100}` : "";
      const how = voucher.kind === "general" ? say("zh", "useGeneral", { value }) : say("zh", "useDirected");
      this.setData({ voucher, digits: voucher.code.replace(/-/g, " "), how });
      if (voucher.status === "issued") this.start();
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  onShow() {
    if (this.data.voucher && this.data.voucher.status === "issued") this.start();
  },

  onPlaces() {
    if (this.data.voucher) wx.navigateTo({ url: `/pages/places/places?type=${this.data.voucher.voucher_type}` });
  },

  onHide() {
    clearInterval(this.timer);
  },

  onUnload() {
    clearInterval(this.timer);
  },

  start() {
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), 1000);
    this.tick();
  },

  tick() {
    const left = Math.max(0, Math.ceil((this.until - Date.now()) / 1000));
    this.setData({ left });
    if (left === 0 && !this.asking) this.refresh();
  },

  async refresh() {
    this.asking = true;
    try {
      const code = await course.perform((journey) => journey.code(this.id));
      this.until = code.until;
      this.setData({ picture: pictureAddress(code.svg), trouble: null });
    } catch (error) {
      // The old picture would be refused at the till.
      this.until = Date.now() + AGAIN_MS;
      this.setData({ picture: "", trouble: trouble(error) });
    } finally {
      this.asking = false;
    }
  },
});
