// Small tools of the screens: elements without markup in strings, times, money, and pictures of the types.

import { Refused } from "./logic/client.js";

/**
 * @param {string} tag
 * @param {Record<string, any>} attributes `on…` are listeners, `false`/null leaves one out
 * @param {...any} children
 * @returns {any} an element of that tag
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  Object.keys(attributes || {}).forEach((name) => {
    const value = attributes[name];
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  });
  children.flat(3).forEach((child) => {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  });
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

// One line drawing for each kind of service; a type that has none gets the voucher's own.
const PICTURES = {
  checkup: "M12 4v8M8 8h8M6 20a6 6 0 1 1 12 0M3 20h18",
  nucleic_acid_test: "M9 3h6M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M8 15h8",
  health_training: "M3 8l9-4 9 4-9 4-9-4zM7 10v5c0 2 10 2 10 0v-5M21 8v6",
  disinfection_kit: "M9 8h6v13H9zM10 8V5h4v3M14 5h4l1 2M9 13h6",
  fitness: "M4 9v6M7 7v10M17 7v10M20 9v6M7 12h10",
  general_50: "M4 7h16v11H4zM4 11h16M8 15h4",
  general_100: "M4 7h16v11H4zM4 11h16M8 15h4M15 15h2",
  voucher: "M4 8a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v2a2 2 0 0 0 0 4v2a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-2a2 2 0 0 0 0-4zM14 6v12",
  quiz: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 17v.5M4 4h16v16H4z",
  share: "M18 8a3 3 0 1 0-3-3M6 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM18 22a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM9 10.500l6-4M9 13.500l6 4",
  lead: "M12 3l9 16H3zM12 9v5M12 16.500v.5",
  event: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4M9 15l2 2 4-4",
  draw: "M4 10h16v10H4zM3 7h18v3H3zM12 7v13M12 7c-2-4-6-4-6-2s3 2 6 2zM12 7c2-4 6-4 6-2s-3 2-6 2z",
  heart: "M12 20C6 16 3 12 3 8.500a4.500 4.500 0 0 1 9-1 4.500 4.500 0 0 1 9 1C21 12 18 16 12 20z",
  use: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h3v3M20 14v6h-6M17 20h.5",
};

/** @param {string} key */
export function picture(key) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("class", "picture");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PICTURES[key] || PICTURES.voucher);
  drawn.append(path);
  return drawn;
}

/** The picture on a ground of its own colour, for lists that are looked through. @param {string} key */
export function tile(key) {
  return h("span", { class: `tile t-${key}`, "aria-hidden": "true" }, picture(key));
}

/** The platform's own picture, as a part of the page. @param {string} text */
export function drawing(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return document.importNode(parsed, true);
}

/** @param {number} fen */
export function yuan(fen) {
  const whole = fen % 100 === 0;
  return `¥${whole ? fen / 100 : (fen / 100).toFixed(2)}`;
}

/** As the platform says it, at its own offset: nobody's phone moves a deadline. @param {string} moment */
export function shownTime(moment) {
  return moment.slice(0, 16).replace("T", " ");
}

/**
 * How long until then, in the two largest units that count.
 * @param {any} app
 * @param {string} moment
 * @param {number} now milliseconds of the platform's clock
 * @returns {string} nothing once it is over
 */
export function remaining(app, moment, now) {
  const minutes = Math.floor((Date.parse(moment) - now) / 60000);
  if (!(minutes > 0)) return "";
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  if (days > 0) return app.say("daysHours", { d: days, h: hours });
  return app.say("hoursMinutes", { h: hours, m: minutes % 60 });
}

/** @param {string} decimal */
export function percent(decimal) {
  return `${Number((Number(decimal) * 100).toFixed(4))}%`;
}

/** @param {number} seconds */
export function clock(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** @param {string} code */
export function grouped(code) {
  return code.replace(/[^0-9A-Za-z]/g, "").replace(/(.{4})(?=.)/g, "$1 ");
}

// --- what every screen is made of ---------------------------------------------------------------------

/** @param {any} app */
export const t = (app) => (key, values) => app.say(key, values);

export function button(label, onclick, more) {
  return h("button", Object.assign({ type: "button", class: "primary", onclick }, more || {}), label);
}

export function link(label, route, more) {
  return h("a", Object.assign({ href: `#${route}`, class: "button" }, more || {}), label);
}

/** What an address names and is not there for this person. @param {any} app */
export function gone(app) {
  return new Refused(404, { code: "not_found", detail: app.say("notThere") });
}
