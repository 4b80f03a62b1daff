// Ways to take part other than the quiz: checking in, sharing, reporting.

import { Refused, Unreachable } from "./logic/client.js";
import { drawButton } from "./screens.js";
import { h, link, shownTime, t } from "./ui.js";

const PHOTOS_MAX = 6;
const CHECK_INS = ["event", "fitness"];

export async function way(app, [channel]) {
  const w = t(app);
  const campaign = app.campaign || (await app.journey.campaign(app.slug));
  const one = campaign.channels.find((entry) => entry.key === channel);
  if (!one) throw new Refused(404, { code: "not_found", detail: "" });
  const form = { share: shareForm, lead: leadForm, event: checkInForm, fitness: checkInForm }[channel];
  return [h("h1", { tabindex: "-1" }, one.name), ...(form ? await form(app, channel) : []), link(w("home"), "/")];
}

function taken(app, told) {
  app.show([
    h("div", { class: "outcome good" },
      h("h1", { tabindex: "-1" }, app.say(told.status)),
      told.chances_granted > 0 && h("p", {}, app.say("gained", { n: told.chances_granted }))),
    told.chances_granted > 0 && drawButton(app, app.say("goDraw")),
    link(app.say("home"), "/"),
  ]);
}

async function sent(app, channel, evidence) {
  taken(app, await app.journey.takePart(app.slug, channel, evidence));
}

function checkInForm(app, channel) {
  return checkInParts(app, [channel]);
}

/** Whoever comes from a poster: its code does not say which way of taking part it is of. */
export async function checkIn(app) {
  const campaign = app.campaign || (await app.journey.campaign(app.slug));
  const channels = campaign.channels.map((one) => one.key).filter((key) => CHECK_INS.includes(key));
  if (!channels.length) throw new Refused(404, { code: "not_found", detail: "" });
  return [
    h("h1", { tabindex: "-1" }, app.say("checkInTitle")),
    ...(await checkInParts(app, channels)),
    link(app.say("home"), "/"),
  ];
}

async function checkInParts(app, channels) {
  const w = t(app);
  const code = h("input", { id: "code", required: true, maxlength: 500, autocapitalize: "characters", value: app.checkInCode || "" });
  const events = (await app.journey.events(app.slug)).filter((event) => channels.includes(event.channel) && event.state !== "closed");
  return [
    h("p", {}, w("checkInText")),
    h("form", {
      class: "card form",
      onsubmit: (event) => {
        event.preventDefault();
        app.busy(async () => taken(app, await app.journey.checkIn(app.slug, channels, code.value.trim())));
      },
    }, h("label", { for: "code" }, w("checkInCode")), code, h("button", { type: "submit", class: "primary" }, w("checkIn"))),
    h("section", { class: "card" },
      h("h2", {}, w("eventsNow")),
      events.length === 0 ? h("p", { class: "quiet" }, w("noEvents")) : h("ul", { class: "places-list" }, events.map((event) => h("li", {},
        h("b", {}, event.name), h("span", { class: "quiet" }, `${event.place} · ${shownTime(event.starts_at)} – ${shownTime(event.ends_at).slice(11)}`))))),
  ];
}

async function shareForm(app) {
  const w = t(app);
  const kind = h("select", { id: "kind" }, ["forwarded", "followed", "registered"].map((key) => h("option", { value: key }, w(key))));
  const url = h("input", { id: "url", type: "url", required: true, maxlength: 2000, placeholder: "https://" });
  const words = h("textarea", { id: "words", required: true, maxlength: 2000, rows: 4 });
  return [
    h("p", {}, w("shareText")),
    h("form", {
      class: "card form",
      onsubmit: (event) => {
        event.preventDefault();
        app.busy(() => sent(app, "share", { kind: kind.value, url: url.value.trim(), text: words.value.trim() }));
      },
    }, h("label", { for: "kind" }, w("shareKind")), kind, h("label", { for: "url" }, w("url")), url,
    h("label", { for: "words" }, w("content")), words, h("button", { type: "submit", class: "primary" }, w("send"))),
  ];
}

async function leadForm(app) {
  const w = t(app);
  const category = h("input", { id: "category", required: true, maxlength: 64 });
  const place = h("input", { id: "place", required: true, maxlength: 200 });
  const words = h("textarea", { id: "words", required: true, maxlength: 2000, rows: 4 });
  const refused = h("p", { class: "refused-here", id: "photos-refused", role: "alert", hidden: true });
  // A photo that has arrived is not sent again when another one was refused.
  const kept = new Map();
  const ids = async () => {
    const found = [];
    for (const file of Array.from(photos.files).slice(0, PHOTOS_MAX)) {
      const key = `${file.name}/${file.size}/${file.lastModified}`;
      try {
        if (!kept.has(key)) kept.set(key, await app.upload(file));
      } catch (error) {
        if (error instanceof Refused && error.status !== 401) {
          const reasons = error.errors.map((fault) => fault.message).filter(Boolean);
          refused.textContent = w("photoRefused", { name: file.name, reason: reasons.join(" ") || error.sentence });
        } else if (error instanceof Unreachable) refused.textContent = w("photoLost", { name: file.name });
        else throw error;
        refused.hidden = false;
        photos.focus();
        return null;
      }
      found.push(kept.get(key));
    }
    return found;
  };
  const photos = h("input", { id: "photos", "aria-describedby": "photos-refused", type: "file", accept: "image/jpeg,image/png,image/webp", multiple: true });
  return [
    h("p", {}, w("leadText")),
    h("form", {
      class: "card form",
      onsubmit: (event) => {
        event.preventDefault();
        app.busy(async () => {
          refused.hidden = true;
          const pictures = await ids();
          if (pictures === null) return;
          await sent(app, "lead", { category: category.value.trim(), place: place.value.trim(), description: words.value.trim(), photos: pictures });
        });
      },
    }, h("label", { for: "category" }, w("category")), category, h("label", { for: "place" }, w("place")), place,
    h("label", { for: "words" }, w("description")), words, h("label", { for: "photos" }, w("photos")), photos, refused,
    h("button", { type: "submit", class: "primary" }, w("send"))),
  ];
}
