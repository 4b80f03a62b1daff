// Keeps the page and its files, so that the till opens without a line. Answers of the platform are never kept.

const KEPT = "hv.pos.files";
const FILES = /^\/(pos$|console\/static\/(pos|citizen\/(ui|logic\/client)\.js|vendor\/qr-|favicon\.svg))/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function fresh(request, path) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      await kept.put(path, answer.clone());
      return answer;
    }
  } catch (error) {
    // No line: what was kept is as good.
  }
  return (await kept.match(path)) || Response.error();
}

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || !FILES.test(pathname)) return;
  event.respondWith(fresh(event.request, pathname));
});
